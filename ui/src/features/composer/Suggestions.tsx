// What the composer offers while `@` or `/` is typed: a list above the text, chosen with the arrow keys, Enter, Tab or a click.
import { File, Folder, SquareSlash } from "lucide-react";
import { useEffect, useState, type KeyboardEvent } from "react";

import { host } from "../../host";
import { useWords } from "../../i18n";
import type { FileHit } from "../../protocol";
import { tellFailure } from "../../state/store";
import { matching } from "./commands";
import { typing } from "./mention";
import { strings } from "./strings";
import css from "./Suggestions.module.css";

export type Suggestion =
  | { type: "command"; name: string; label: Parameters<ReturnType<typeof useWords<keyof (typeof strings)["en"]>>>[0] }
  | { type: "file"; path: string; start: number; hit: FileHit };

export interface SuggestionState {
  open: boolean;
  rows: Suggestion[];
  /** The row that Enter takes. */
  at: number;
  /** A search that found nothing says so. */
  nothing: boolean;
  onKey: (event: KeyboardEvent, choose: (row: Suggestion) => void) => boolean;
  chosen: () => Suggestion | undefined;
}

const PAUSE_MS = 50;

export function useSuggestions(text: string, caret: number, cwd: string | undefined, hasThread: boolean): SuggestionState {
  const now = typing(text, caret);
  const [found, setFound] = useState<{ query: string; hits: FileHit[] }>();
  const [at, setAt] = useState(0);
  const [closedFor, setClosedFor] = useState<string>();
  const query = now.type === "file" ? now.query : undefined;

  useEffect(() => {
    if (query === undefined || cwd === undefined) return undefined;
    let late = false;
    const timer = setTimeout(() => {
      host.ask("file/search", { cwd, query }).then((hits) => {
        if (!late) setFound({ query, hits: hits.slice(0, 12) });
      }, tellFailure);
    }, PAUSE_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [query, cwd]);

  const typed = now.type === "text" ? undefined : `${now.type} ${now.query}`;
  useEffect(() => {
    setAt(0);
  }, [typed]);

  let rows: Suggestion[] = [];
  if (now.type === "command") rows = matching(now.query, hasThread).map((it) => ({ type: "command", name: it.name, label: it.label }));
  // Hits of the query before stay until the new ones are there.
  if (now.type === "file") rows = (found?.hits ?? []).map((hit) => ({ type: "file", path: hit.path, start: now.start, hit }));
  const open = typed !== undefined && closedFor !== typed && rows.length > 0;
  const nothing = now.type === "file" && closedFor !== typed && now.query !== "" && found?.query === now.query && found.hits.length === 0;
  const chosen = () => (open ? rows[Math.min(at, rows.length - 1)] : undefined);

  return {
    open, rows, at: Math.min(at, rows.length - 1), nothing, chosen,
    onKey: (event, choose) => {
      if (!open) return false;
      const row = chosen();
      switch (event.key) {
        case "ArrowDown": setAt((at + 1) % rows.length); return true;
        case "ArrowUp": setAt((at + rows.length - 1) % rows.length); return true;
        case "Escape": setClosedFor(typed); return true;
        case "Tab":
          if (row === undefined || event.shiftKey) return false;
          choose(row);
          return true;
        default: return false;
      }
    },
  };
}

export function Suggestions({ id, state, onChoose }: { id: string; state: SuggestionState; onChoose: (row: Suggestion) => void }) {
  const t = useWords(strings);
  if (!state.open) return state.nothing ? <div className={css.list}><p className={css.nothing}>{t("noFiles")}</p></div> : null;
  return (
    <ul id={id} role="listbox" aria-label={t(state.rows[0]?.type === "command" ? "commands" : "files")} className={css.list}>
      {state.rows.map((row, i) => (
        <li
          key={row.type === "command" ? row.name : row.path} id={`${id}-${String(i)}`} role="option" aria-selected={i === state.at} className={css.row}
          // Pressing the mouse must not take the focus from the text.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(row)}
          ref={(element) => { if (i === state.at) element?.scrollIntoView({ block: "nearest" }); }}
        >
          {row.type === "command" ? (
            <><SquareSlash aria-hidden /><span className={css.name}>/{row.name}</span><span className={css.note}>{t(row.label)}</span></>
          ) : (
            <>{row.hit.folder ? <Folder aria-hidden /> : <File aria-hidden />}<span className={css.path}><Matched hit={row.hit} /></span></>
          )}
        </li>
      ))}
    </ul>
  );
}

function Matched({ hit }: { hit: FileHit }) {
  const matched = new Set(hit.matched);
  return [...hit.path].map((char, i) => (matched.has(i) ? <b key={i}>{char}</b> : char));
}
