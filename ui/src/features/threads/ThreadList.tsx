// The threads as a tree: pinned ones, then folders. Only the lines on screen are drawn, so a thousand threads cost as little as ten.
import { ChevronDown, ChevronRight, FolderOpen, MessageSquarePlus, Pin, Plus } from "lucide-react";
import { useEffect, useId, useMemo, useState, type KeyboardEvent } from "react";

import { Button, IconButton } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { isComposing } from "../../hooks/useEnterSubmit";
import { useRows } from "../../hooks/useRows";
import { useWords } from "../../i18n";
import type { ThreadSummary } from "../../protocol";
import { newThread, openThread, start, useStore } from "../../state/store";
import { remove } from "./actions";
import { group, lines, PINNED, type Row } from "./grouping";
import css from "./ThreadList.module.css";
import { ThreadMenu, type MenuAt } from "./ThreadMenu";
import { ThreadRow } from "./ThreadRow";
import { useFolded } from "./useFolded";
import { RENAME } from "./wishes";
import { strings } from "./strings";

const ROW = 32;

export function ThreadList() {
  const t = useWords(strings);
  const summaries = useStore((it) => it.summaries);
  const listed = useStore((it) => it.listed);
  const failure = useStore((it) => it.failure);
  if (!listed) return <div className={css.tree} aria-busy="true" />;
  if (failure !== undefined) {
    return (
      <div className={css.message}>
        <FailureCard failure={failure} actions={<Button small onClick={() => void start()}>{t("tryAgain")}</Button>} />
      </div>
    );
  }
  if (summaries.length === 0) {
    return (
      <div className={css.message}>
        <Empty icon={<MessageSquarePlus aria-hidden />} title={t("empty")}><p>{t("emptyHint")}</p></Empty>
      </div>
    );
  }
  return <Tree summaries={summaries} />;
}

function Tree({ summaries }: { summaries: ThreadSummary[] }) {
  const t = useWords(strings);
  const base = useId();
  const [folded, toggle] = useFolded();
  const openId = useStore((it) => (it.place.view === "thread" ? it.place.threadId : undefined));
  const rows = useMemo(() => lines(group(summaries), folded), [summaries, folded]);
  const window = useRows<HTMLDivElement>(rows.length, ROW);
  const [activeId, setActiveId] = useState<string>();
  const [renaming, setRenaming] = useState<string>();
  const [menu, setMenu] = useState<MenuAt>();

  const active = Math.max(0, rows.findIndex((it) => it.id === (activeId ?? openId)));
  const rowId = (row: Row) => `${base}-${row.id}`;

  const { show } = window;
  useEffect(() => {
    const listen = (event: Event) => {
      const id: unknown = event instanceof CustomEvent ? event.detail : undefined;
      const at = rows.findIndex((it) => it.id === id);
      if (typeof id !== "string" || at < 0) return;
      show(at);
      setActiveId(id);
      setRenaming(id);
    };
    addEventListener(RENAME, listen);
    return () => removeEventListener(RENAME, listen);
  }, [rows, show]);

  const move = (to: number) => {
    const next = rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (next === undefined) return;
    setActiveId(next.id);
    window.show(rows.indexOf(next));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || isComposing(event) || event.ctrlKey || event.metaKey) return;
    const row = rows[active];
    if (row === undefined) return;
    if (!press(event, row)) return;
    event.preventDefault();
  };

  const press = (event: KeyboardEvent<HTMLDivElement>, row: Row): boolean => {
    switch (event.key) {
      case "ArrowDown":
        if (event.altKey) return false;
        move(active + 1);
        return true;
      case "ArrowUp":
        if (event.altKey) return false;
        move(active - 1);
        return true;
      case "Home":
        move(0);
        return true;
      case "End":
        move(rows.length - 1);
        return true;
      case "ArrowLeft":
        if (row.type === "thread") move(rows.slice(0, active).findLastIndex((it) => it.type !== "thread"));
        else if (row.open) toggle(row.type === "pinned" ? PINNED : row.group.cwd);
        return true;
      case "ArrowRight":
        if (row.type === "thread") return true;
        if (row.open) move(active + 1);
        else toggle(row.type === "pinned" ? PINNED : row.group.cwd);
        return true;
      case " ":
      case "Enter":
        if (row.type === "thread") openThread(row.thread.id);
        else toggle(row.type === "pinned" ? PINNED : row.group.cwd);
        return true;
      case "F2":
        if (row.type === "thread") setRenaming(row.id);
        return row.type === "thread";
      case "Delete":
      case "Backspace":
        if (row.type === "thread") void remove(row.thread);
        return row.type === "thread";
      case "ContextMenu":
        return openMenu(row);
      case "F10":
        return event.shiftKey && openMenu(row);
      default:
        return false;
    }
  };

  const openMenu = (row: Row): boolean => {
    const element = document.getElementById(rowId(row));
    if (row.type !== "thread" || element === null) return false;
    const box = element.getBoundingClientRect();
    setMenu({ thread: row.thread, x: box.left + 24, y: box.bottom });
    return true;
  };

  const focusTree = () => window.box.current?.focus();

  return (
    <>
      <div
        ref={window.box}
        className={css.tree}
        role="tree"
        aria-label={t("threads")}
        tabIndex={0}
        aria-activedescendant={rows[active] && rowId(rows[active])}
        onScroll={window.onScroll}
        onKeyDown={onKeyDown}
        onFocus={(event) => { if (event.target === event.currentTarget) window.show(active); }}
      >
        <div style={window.whole} role="presentation">
          <div style={window.shift} role="presentation">
            {rows.slice(window.first, window.end).map((row, n) => {
              const isActive = window.first + n === active;
              if (row.type === "thread") {
                return (
                  <ThreadRow
                    key={row.id}
                    id={rowId(row)}
                    thread={row.thread}
                    place={row.place}
                    of={row.of}
                    active={isActive}
                    open={row.id === openId}
                    renaming={row.id === renaming}
                    onRename={(on) => { setRenaming(on ? row.id : undefined); if (!on) focusTree(); }}
                    onActive={() => setActiveId(row.id)}
                    onMenu={(x, y) => setMenu({ thread: row.thread, x, y })}
                  />
                );
              }
              return <Heading key={row.id} id={rowId(row)} row={row} active={isActive} onToggle={() => { setActiveId(row.id); toggle(row.type === "pinned" ? PINNED : row.group.cwd); }} />;
            })}
          </div>
        </div>
      </div>
      <ThreadMenu at={menu} onClose={() => setMenu(undefined)} onRename={(thread) => setRenaming(thread.id)} />
    </>
  );
}

function Heading({ id, row, active, onToggle }: { id: string; row: Exclude<Row, { type: "thread" }>; active: boolean; onToggle: () => void }) {
  const t = useWords(strings);
  const Chevron = row.open ? ChevronDown : ChevronRight;
  const Icon = row.type === "pinned" ? Pin : FolderOpen;
  const label = row.type === "pinned" ? t("pinned") : row.group.label;
  const size = row.type === "pinned" ? row.size : row.group.threads.length;
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={1}
      aria-expanded={row.open}
      aria-label={label}
      className={`${css.folder} ${active ? css.active : ""}`}
      title={row.type === "folder" ? row.group.cwd : undefined}
      onClick={onToggle}
    >
      <Chevron aria-hidden className={css.chevron} />
      <Icon aria-hidden className={css.folderIcon} />
      <span className={css.folderName}>{label}</span>
      {!row.open && <span className={css.size}>{size}</span>}
      {row.type === "folder" && (
        <span className={css.onHover} onClick={(event) => event.stopPropagation()}>
          <IconButton small tabIndex={-1} label={t("newHere", { folder: label })} icon={<Plus />} onClick={() => newThread(row.group.cwd)} />
        </span>
      )}
    </div>
  );
}
