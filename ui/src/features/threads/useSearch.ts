// The full-text search as a hook: waits until the typing pauses, and never shows the answer to an older question.
import { useEffect, useState } from "react";

import { asFailure, host } from "../../host";
import type { Failure, SearchHit } from "../../protocol";

export type Search =
  | { state: "idle" }
  | { state: "searching"; before: SearchHit[] }
  | { state: "found"; query: string; hits: SearchHit[] }
  | { state: "failed"; failure: Failure };

const PAUSE_MS = 120;

export function useSearch(typed: string): Search {
  const query = typed.trim();
  const [search, setSearch] = useState<Search>({ state: "idle" });

  useEffect(() => {
    if (query === "") {
      setSearch({ state: "idle" });
      return;
    }
    let current = true;
    // The last answer stays until the new one is there, so that nothing flickers between two letters.
    setSearch((it) => ({ state: "searching", before: it.state === "found" ? it.hits : it.state === "searching" ? it.before : [] }));
    const timer = setTimeout(() => {
      host.ask("thread/search", { query }).then(
        (hits) => {
          if (current) setSearch({ state: "found", query, hits });
        },
        (thrown: unknown) => {
          if (current) setSearch({ state: "failed", failure: asFailure(thrown) });
        },
      );
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [query]);

  return search;
}
