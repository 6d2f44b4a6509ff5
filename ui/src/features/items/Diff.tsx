// One changed file: its lines in one column or side by side, and a way back for the file and for each part.
import { ChevronDown, ChevronRight, Columns2, Redo2, Rows2, Undo2 } from "lucide-react";
import { useMemo, useState } from "react";

import { IconButton } from "../../components/Button";
import { useWords } from "../../i18n";
import type { FileChange } from "../../protocol";
import css from "./Diff.module.css";
import { hunks, pairs, type DiffLine, type Hunk } from "./diff";
import { strings } from "./strings";

const LAYOUT = "zspark.diff";
/** Lines drawn at first; the rest on request. */
const FIRST_LINES = 400;

export interface DiffProps {
  change: FileChange;
  /** For the shown path; absolute when absent. */
  cwd?: string;
  undone?: boolean;
  onUndo?: () => void;
  onRedo?: () => void;
  onUndoHunk?: (hunk: number) => void;
  /** Lets the head fold the lines away. */
  fold?: { open: boolean; label: string; onToggle: () => void };
  /** Said in the head, such as that the file was edited since. */
  note?: string;
}

export function relative(path: string, cwd: string | undefined): string {
  return cwd !== undefined && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

export function Diff({ change, cwd, undone = false, onUndo, onRedo, onUndoHunk, fold, note }: DiffProps) {
  const [split, setSplit] = useState(() => localStorage.getItem(LAYOUT) === "split");
  const [all, setAll] = useState(false);
  const t = useWords(strings);
  const parts = useMemo(() => hunks(change.diff), [change.diff]);
  const folded = fold?.open === false;
  let room = all ? Infinity : FIRST_LINES;
  const choose = () => {
    localStorage.setItem(LAYOUT, split ? "unified" : "split");
    setSplit(!split);
  };
  return (
    <section className={css.file} data-testid="diff-view" data-undone={undone || undefined} aria-label={relative(change.path, cwd)}>
      <header className={css.head}>
        {fold !== undefined && <IconButton small label={fold.label} icon={fold.open ? <ChevronDown /> : <ChevronRight />} aria-expanded={fold.open} onClick={fold.onToggle} />}
        <span className={css.path} title={change.path}><bdi>{relative(change.path, cwd)}</bdi></span>
        <Counts change={change} />
        {change.kind === "add" && <span className={css.kind}>{t("added")}</span>}
        {change.kind === "delete" && <span className={css.kind}>{t("deleted")}</span>}
        {change.movedFrom !== undefined && <span className={css.kind}>{t("moved", { path: relative(change.movedFrom, cwd) })}</span>}
        {undone && <span className={css.kind}>{t("undone")}</span>}
        {note !== undefined && <span className={css.warning}>{note}</span>}
        <span className={css.actions}>
          <IconButton small label={split ? t("unified") : t("split")} icon={split ? <Rows2 /> : <Columns2 />} onClick={choose} />
          {undone && onRedo !== undefined && <IconButton small label={t("redoFile")} icon={<Redo2 />} onClick={onRedo} />}
          {!undone && onUndo !== undefined && <IconButton small label={t("undoFile")} icon={<Undo2 />} onClick={onUndo} />}
        </span>
      </header>
      {folded ? null : change.binary ? <p className={css.said}>{t("binary")}</p> : (
        <div className={css.scroll} tabIndex={0} role="region" aria-label={relative(change.path, cwd)}>
          {parts.map((hunk, i) => {
            if (room <= 0) return null;
            const lines = hunk.lines.slice(0, room);
            room -= lines.length;
            return <Part key={i} hunk={{ ...hunk, lines }} split={split} onUndo={undone || onUndoHunk === undefined || parts.length < 2 ? undefined : () => onUndoHunk(i)} />;
          })}
        </div>
      )}
      {!folded && room <= 0 && <button type="button" className={css.rest} onClick={() => setAll(true)}>…</button>}
      {!folded && change.truncated && <p className={css.said}>{t("cutDiff")}</p>}
    </section>
  );
}

export function Counts({ change }: { change: Pick<FileChange, "added" | "removed"> }) {
  return (
    <span className={css.counts}>
      {change.added > 0 && <span className={css.plus}>+{change.added}</span>}
      {change.removed > 0 && <span className={css.minus}>−{change.removed}</span>}
    </span>
  );
}

function Part({ hunk, split, onUndo }: { hunk: Hunk; split: boolean; onUndo?: () => void }) {
  const t = useWords(strings);
  return (
    <div className={css.hunk}>
      {(hunk.header !== "" || onUndo !== undefined) && (
        <div className={css.hunkHead}>
          <span>{hunk.header}</span>
          {onUndo !== undefined && <IconButton small label={t("undoHunk")} icon={<Undo2 />} onClick={onUndo} />}
        </div>
      )}
      {split ? (
        <div className={css.split}>
          {pairs(hunk.lines).map(([left, right], i) => (
            <div key={i} className={css.pair}>
              <Side line={left} number={left?.old} />
              <Side line={right} number={right?.new} />
            </div>
          ))}
        </div>
      ) : hunk.lines.map((line, i) => (
        <div key={i} className={`${css.row} ${css[line.kind]}`}>
          <span className={css.number}>{line.old}</span>
          <span className={css.number}>{line.new}</span>
          <Code line={line} />
        </div>
      ))}
    </div>
  );
}

const SIGNS: Record<DiffLine["kind"], string> = { same: " ", add: "+", del: "−" };

function Code({ line }: { line: DiffLine }) {
  return <code className={css.code}><span className={css.sign}>{SIGNS[line.kind]}</span>{line.text}</code>;
}

function Side({ line, number }: { line: DiffLine | undefined; number: number | undefined }) {
  return (
    <div className={`${css.side} ${line === undefined ? css.gap : css[line.kind]}`}>
      <span className={css.number}>{number}</span>
      {line !== undefined && <Code line={line} />}
    </div>
  );
}
