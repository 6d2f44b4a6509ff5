// Which headings of the sidebar are folded; kept over restarts.
import { useCallback, useState } from "react";

const KEY = "zspark.folded";

function read(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(kept) ? kept.filter((it) => typeof it === "string") : []);
  } catch {
    // Storage that cannot be read costs a click on a heading, nothing more.
    return new Set();
  }
}

export function useFolded(): [ReadonlySet<string>, (heading: string) => void] {
  const [folded, setFolded] = useState(read);
  const toggle = useCallback((heading: string) => {
    setFolded((it) => {
      const next = new Set(it);
      if (!next.delete(heading)) next.add(heading);
      localStorage.setItem(KEY, JSON.stringify([...next]));
      return next;
    });
  }, []);
  return [folded, toggle];
}
