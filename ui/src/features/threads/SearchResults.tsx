// What the search found: the thread, the folder, and the words around the match.
import { FileSearch } from "lucide-react";
import { useEffect } from "react";

import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { useTongue, useWords } from "../../i18n";
import type { SearchHit } from "../../protocol";
import { openThread } from "../../state/store";
import { useMinute } from "../../hooks/useMinute";
import { age } from "./age";
import { titleOf } from "./actions";
import { folderLabels } from "./grouping";
import css from "./SearchResults.module.css";
import { pieces } from "./snippet";
import type { Search } from "./useSearch";
import { strings } from "./strings";

/** Far more than anyone reads; the engine's own cap is near it. */
const SHOWN = 200;

function open(hit: SearchHit): void {
  const { itemId, seq } = hit;
  openThread(hit.thread.id, itemId === undefined || seq === undefined ? undefined : { itemId, seq });
}

export function SearchResults({ search, hits, selected, onSelectedRun }: {
  search: Search;
  hits: SearchHit[];
  selected: number;
  /** Told what Enter opens. */
  onSelectedRun: (run: (() => void) | undefined) => void;
}) {
  const t = useWords(strings);
  const hit = hits[selected];
  useEffect(() => {
    onSelectedRun(hit === undefined ? undefined : () => open(hit));
    document.getElementById(`hit-${String(selected)}`)?.scrollIntoView({ block: "nearest" });
  }, [hit, selected, onSelectedRun]);

  if (search.state === "failed") return <div className={css.box}><FailureCard failure={search.failure} /></div>;
  if (search.state === "found" && hits.length === 0) {
    return (
      <div className={css.box} role="status">
        <Empty icon={<FileSearch aria-hidden />} title={t("noHits", { query: search.query })}>
          <p>{t("noHitsHint")}</p>
        </Empty>
      </div>
    );
  }
  const labels = folderLabels(hits.map((it) => it.thread.cwd));
  return (
    <div className={css.box}>
      <p className={css.count} role="status">
        {search.state === "searching" && hits.length === 0 ? t("searching") : t("hits", { count: hits.length })}
      </p>
      <ul id="search-results" role="listbox" aria-label={t("search")}>
        {hits.slice(0, SHOWN).map((it, at) => (
          <Hit key={`${it.thread.id} ${String(it.seq ?? 0)} ${String(at)}`} hit={it} at={at} selected={at === selected} folder={labels.get(it.thread.cwd) ?? it.thread.cwd} />
        ))}
      </ul>
    </div>
  );
}

function Hit({ hit, at, selected, folder }: { hit: SearchHit; at: number; selected: boolean; folder: string }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const now = useMinute();
  return (
    <li id={`hit-${String(at)}`} role="option" aria-selected={selected} className={css.hit} data-testid="search-hit" onClick={() => open(hit)}>
      <span className={css.title}>{titleOf(hit.thread)}</span>
      <span className={css.snippet}>
        {pieces(hit.snippet).map((piece, n) => (piece.match ? <mark key={n}>{piece.text}</mark> : <span key={n}>{piece.text}</span>))}
      </span>
      <span className={css.where}>
        {folder} · {age(hit.thread.updatedMs, now, tongue) ?? t("now")}
      </span>
    </li>
  );
}
