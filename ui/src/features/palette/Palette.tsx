// Every action by its name, and the threads and settings beside them. Also where the shortcuts are bound.
import { Dialog as Base } from "@base-ui/react/dialog";
import { CornerDownLeft, MessageSquare, Search, Settings2 } from "lucide-react";
import { useId, useMemo, useRef, useState, type ReactNode } from "react";

import dialog from "../../components/Dialog.module.css";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import type { ThreadSummary } from "../../protocol";
import { closeOverlay, openThread, showOverlay, useStore } from "../../state/store";
import { ENTRIES } from "../settings/catalog";
import { strings as settingStrings } from "../settings/strings";
import { titleOf } from "../threads/actions";
import { folderLabels, group } from "../threads/grouping";
import { useActions, type Action } from "./actions";
import css from "./Palette.module.css";
import { rank } from "./rank";
import { strings } from "./strings";
import { useShortcuts, useShortcutText } from "./useShortcuts";

/** Shown of the threads; the sidebar's search finds the others, by content too. */
const THREADS = 8;
const PAGES = 6;

interface Row {
  key: string;
  section: "actions" | "threads" | "pages";
  icon: ReactNode;
  name: string;
  /** Quiet, beside the name. */
  note?: string;
  also: string;
  shortcut?: string;
  run: () => void;
}

export function Palette() {
  const open = useStore((it) => it.overlay.type === "palette");
  const actions = useActions();
  const bound = useMemo(() => Object.fromEntries(actions.flatMap((it) => (it.shortcut === undefined ? [] : [[it.shortcut, it.run]]))), [actions]);
  useShortcuts(bound);
  return (
    <Base.Root open={open} onOpenChange={(next) => { if (!next) closeOverlay(); }}>
      <Base.Portal>
        <Base.Backdrop className={dialog.scrim} />
        <Box actions={actions} />
      </Base.Portal>
    </Base.Root>
  );
}

function Box({ actions }: { actions: Action[] }) {
  const t = useWords(strings);
  const s = useWords(settingStrings);
  const shortcut = useShortcutText();
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const summaries = useStore((it) => it.summaries);
  const [query, setQuery] = useState("");
  const [selected, setSelected] = useState(0);

  const rows = useMemo(() => {
    const all: Row[] = actions.filter((it) => it.name !== "paletteAction").map((it) => ({
      key: it.name,
      section: "actions",
      icon: it.icon,
      name: t(it.name),
      also: "",
      shortcut: it.shortcut === undefined ? undefined : shortcut(it.shortcut),
      run: it.run,
    }));
    const { pinned, folders } = group(summaries);
    const threads: ThreadSummary[] = [...pinned, ...folders.flatMap((it) => it.threads)];
    const labels = folderLabels([...new Set(threads.map((it) => it.cwd))]);
    const ofThreads: Row[] = threads.map((it) => ({
      key: it.id,
      section: "threads",
      icon: <MessageSquare />,
      name: titleOf(it),
      note: labels.get(it.cwd) ?? it.cwd,
      also: it.cwd,
      run: () => openThread(it.id),
    }));
    const ofPages: Row[] = ENTRIES.map((it) => ({
      key: `${it.page} ${it.word}`,
      section: "pages",
      icon: <Settings2 />,
      name: s(it.word),
      note: it.setting === undefined ? undefined : s(it.page),
      also: it.also.map((word) => s(word)).join(" "),
      run: () => showOverlay({ type: "settings", page: it.page }),
    }));
    const fits = (of: Row[], most: number) => rank(of, query, (it) => it.name, (it) => it.also).slice(0, most);
    const parts = [fits(all, 40), fits(ofThreads, THREADS), fits(ofPages, query.trim() === "" ? 0 : PAGES)];
    // The section with the best match comes first, so that Enter does what was meant.
    if (query.trim() !== "") parts.sort((a, b) => best(b) - best(a));
    return parts.flat();
  }, [actions, summaries, query, t, s, shortcut]);

  const at = Math.min(selected, rows.length - 1);
  const run = (row: Row) => {
    closeOverlay();
    row.run();
  };
  const move = (to: number) => {
    const next = (to + rows.length) % Math.max(1, rows.length);
    setSelected(next);
    list.current?.querySelector(`[data-at="${String(next)}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const keys = useEnterSubmit<HTMLInputElement>(
    () => {
      const row = rows[at]?.item;
      if (row !== undefined) run(row);
    },
    (event) => {
      if (event.key === "ArrowDown") move(at + 1);
      else if (event.key === "ArrowUp") move(at - 1);
      else return false;
      return true;
    },
  );

  return (
    <Base.Popup className={css.popup} initialFocus={input} data-testid="palette">
      <Base.Title className="unseen">{t("palette")}</Base.Title>
      <div className={css.field}>
        <Search aria-hidden />
        <input
          ref={input}
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={rows.length > 0 ? `${listId}-${String(at)}` : undefined}
          aria-label={t("placeholder")}
          data-testid="palette-input"
          placeholder={t("placeholder")}
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => { setQuery(event.target.value); setSelected(0); list.current?.scrollTo(0, 0); }}
          {...keys}
        />
      </div>
      <div ref={list} id={listId} role="listbox" aria-label={t("palette")} className={css.list}>
        {rows.map(({ item, at: letters }, n) => (
          <div key={`${item.section} ${item.key}`} role="presentation">
            {rows[n - 1]?.item.section !== item.section && <p className={css.section} role="presentation">{t(item.section)}</p>}
            <div
              id={`${listId}-${String(n)}`}
              data-at={n}
              role="option"
              aria-selected={n === at}
              aria-label={item.note === undefined ? item.name : `${item.name}, ${item.note}`}
              className={css.row}
              data-testid="palette-row"
              onMouseMove={() => setSelected(n)}
              onClick={() => run(item)}
            >
              <span className={css.icon} aria-hidden>{item.icon}</span>
              <span className={css.name}><Marked text={item.name} at={letters} /></span>
              {item.note !== undefined && <span className={css.note}>{item.note}</span>}
              {item.shortcut !== undefined && <kbd className={css.keys}>{item.shortcut}</kbd>}
              {n === at && item.shortcut === undefined && <CornerDownLeft aria-hidden className={css.enter} />}
            </div>
          </div>
        ))}
      </div>
      {rows.length === 0 && <p className={css.empty} role="status">{t("empty", { query: query.trim() })}</p>}
      <p className={css.hint} aria-hidden>{t("hint")}</p>
    </Base.Popup>
  );
}

/** How well the best row of a section fits; a command wins over a setting or a thread of nearly the same name. */
function best(rows: readonly { score: number; item: Row }[]): number {
  const first = rows[0];
  if (first === undefined) return -1;
  return first.score + (first.item.section === "actions" ? 25 : 0);
}

function Marked({ text, at }: { text: string; at: readonly number[] }) {
  if (at.length === 0) return text;
  const marked = new Set(at);
  return Array.from({ length: text.length }, (_, n) => (marked.has(n) ? <b key={n}>{text[n]}</b> : text[n]));
}
