// The sidebar: search on top, then the threads or the archive, and the way to the settings.
import { Archive, ArrowLeft, Search as SearchIcon, Settings, SquarePen, X } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import { showOverlay } from "../../state/store";
import { useShortcutText } from "../palette/useShortcuts";
import { startNew } from "./actions";
import { ArchivedThreads } from "./ArchivedThreads";
import { SearchResults } from "./SearchResults";
import css from "./Sidebar.module.css";
import { strings } from "./strings";
import { ThreadList } from "./ThreadList";
import { useSearch } from "./useSearch";
import { FOCUS_SEARCH } from "./wishes";

export function Sidebar() {
  const t = useWords(strings);
  const shortcut = useShortcutText();
  const [query, setQuery] = useState("");
  const [selected, setSelected] = useState(0);
  const [archive, setArchive] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const search = useSearch(query);
  const hits = search.state === "found" ? search.hits : search.state === "searching" ? search.before : [];
  const openSelected = useRef<(() => void) | undefined>(undefined);
  const onSelectedRun = useCallback((run: (() => void) | undefined) => {
    openSelected.current = run;
  }, []);

  useEffect(() => {
    const focus = () => {
      input.current?.focus();
      input.current?.select();
    };
    addEventListener(FOCUS_SEARCH, focus);
    return () => removeEventListener(FOCUS_SEARCH, focus);
  }, []);

  const ask = (text: string) => {
    setQuery(text);
    setSelected(0);
  };
  const keys = useEnterSubmit<HTMLInputElement>(
    () => openSelected.current?.(),
    (event) => {
      if (event.key === "Escape" && query !== "") ask("");
      else if (event.key === "ArrowDown" && hits.length > 0) setSelected((it) => Math.min(it + 1, hits.length - 1));
      else if (event.key === "ArrowUp" && hits.length > 0) setSelected((it) => Math.max(it - 1, 0));
      else return false;
      return true;
    },
  );

  return (
    <div className={css.sidebar}>
      <div className={css.top}>
        <div className={css.search} role="search">
          <SearchIcon aria-hidden className={css.lens} />
          <input
            ref={input}
            type="search"
            role="combobox"
            className={css.input}
            data-testid="search-input"
            aria-label={t("search")}
            aria-expanded={hits.length > 0}
            aria-controls="search-results"
            aria-activedescendant={hits.length > 0 ? `hit-${String(selected)}` : undefined}
            placeholder={t("search")}
            autoComplete="off"
            spellCheck={false}
            value={query}
            onChange={(event) => ask(event.target.value)}
            {...keys}
          />
          {query !== "" && <IconButton small label={t("clearSearch")} icon={<X />} onClick={() => { ask(""); input.current?.focus(); }} />}
        </div>
        <IconButton label={t("newThread")} shortcut={shortcut("newThread")} icon={<SquarePen />} data-testid="new-thread" onClick={startNew} />
      </div>
      {search.state !== "idle" ? (
        <SearchResults search={search} hits={hits} selected={selected} onSelectedRun={onSelectedRun} />
      ) : archive ? (
        <>
          <div className={css.heading}>
            <IconButton small label={t("back")} icon={<ArrowLeft />} onClick={() => setArchive(false)} />
            <h2>{t("archived")}</h2>
          </div>
          <ArchivedThreads />
        </>
      ) : (
        <ThreadList />
      )}
      <div className={css.bottom}>
        <Button tone="quiet" small icon={<Settings />} shortcut={shortcut("settings")} data-testid="settings-open" className={css.settings} onClick={() => showOverlay({ type: "settings" })}>
          {t("settings")}
        </Button>
        <IconButton small label={t("showArchived")} icon={<Archive />} aria-pressed={archive} onClick={() => setArchive((it) => !it)} />
      </div>
    </div>
  );
}
