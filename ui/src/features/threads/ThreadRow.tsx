// One thread in the sidebar: its state, its title, how long ago, and its title's field while it is renamed.
import { CircleHelp, Ellipsis, LoaderCircle } from "lucide-react";
import { memo, useEffect, useRef } from "react";

import { IconButton } from "../../components/Button";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useMinute } from "../../hooks/useMinute";
import { useTongue, useWords } from "../../i18n";
import type { ThreadSummary } from "../../protocol";
import { openThread } from "../../state/store";
import { rename, titleOf } from "./actions";
import { age } from "./age";
import css from "./ThreadRow.module.css";
import { strings } from "./strings";

export interface ThreadRowProps {
  id: string;
  thread: ThreadSummary;
  place: number;
  of: number;
  /** The tree's own cursor is here. */
  active: boolean;
  /** It is on screen. */
  open: boolean;
  renaming: boolean;
  onRename: (on: boolean) => void;
  onActive: () => void;
  onMenu: (x: number, y: number) => void;
}

function same(a: ThreadRowProps, b: ThreadRowProps): boolean {
  return a.thread === b.thread && a.active === b.active && a.open === b.open && a.renaming === b.renaming && a.place === b.place && a.of === b.of && a.id === b.id;
}

export const ThreadRow = memo(function ThreadRow({ id, thread, place, of, active, open, renaming, onRename, onActive, onMenu }: ThreadRowProps) {
  const t = useWords(strings);
  const title = titleOf(thread);
  if (renaming) return <Rename id={id} thread={thread} onDone={() => onRename(false)} />;
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={2}
      aria-posinset={place}
      aria-setsize={of}
      aria-selected={open}
      data-testid="thread-row"
      data-thread={thread.id}
      data-status={thread.status}
      className={`${css.row} ${active ? css.active : ""} ${open ? css.open : ""}`}
      title={title}
      onClick={() => { onActive(); openThread(thread.id); }}
      onDoubleClick={() => onRename(true)}
      onContextMenu={(event) => { event.preventDefault(); onActive(); onMenu(event.clientX, event.clientY); }}
    >
      <Status status={thread.status} />
      <span className={`${css.title} ${thread.title.trim() === "" ? css.untitled : ""}`}>{title}</span>
      <Age atMs={thread.updatedMs} />
      <span className={css.more} onClick={(event) => event.stopPropagation()} onDoubleClick={(event) => event.stopPropagation()}>
        <IconButton
          small
          tabIndex={-1}
          label={t("more", { title })}
          icon={<Ellipsis />}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            onActive();
            onMenu(box.left, box.bottom);
          }}
        />
      </span>
    </div>
  );
}, same);

/** What a thread is doing: a shape and a word, never a colour alone. */
export function Status({ status }: { status: ThreadSummary["status"] }) {
  const t = useWords(strings);
  if (status === "idle") return <span className={css.status} />;
  const Icon = status === "running" ? LoaderCircle : CircleHelp;
  return (
    <span className={`${css.status} ${css[status]}`} title={t(status)}>
      <Icon aria-hidden />
      <span className="unseen">{t(status)}</span>
    </span>
  );
}

function Age({ atMs }: { atMs: number }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const now = useMinute();
  return (
    <time className={css.age} dateTime={new Date(atMs).toISOString()} title={new Date(atMs).toLocaleString(tongue)}>
      {age(atMs, now, tongue) ?? t("now")}
    </time>
  );
}

function Rename({ id, thread, onDone }: { id: string; thread: ThreadSummary; onDone: () => void }) {
  const t = useWords(strings);
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const finish = (keep: boolean) => {
    if (done.current) return;
    done.current = true;
    const title = input.current?.value.trim() ?? "";
    if (keep && title !== thread.title) void rename(thread, title);
    onDone();
  };
  const keys = useEnterSubmit<HTMLInputElement>(
    () => finish(true),
    (event) => {
      if (event.key !== "Escape") return false;
      finish(false);
      return true;
    },
  );
  return (
    <div id={id} role="treeitem" aria-level={2} className={`${css.row} ${css.active}`}>
      <Status status={thread.status} />
      <input
        ref={input}
        className={css.rename}
        data-testid="thread-rename"
        aria-label={t("renameLabel")}
        title={t("renameHint")}
        placeholder={t("renameHint")}
        defaultValue={thread.title}
        maxLength={300}
        onBlur={() => finish(true)}
        {...keys}
      />
    </div>
  );
}
