// Orders threads for the sidebar: pinned ones on top, the others by folder, the folder used last first.
import type { ThreadSummary } from "../../protocol";

/** The threads of one folder. */
export interface FolderGroup {
  /** Absolute folder. */
  readonly cwd: string;
  /** Its name, with as much of its parents as tells it from the others. */
  readonly label: string;
  /** Newest first. */
  readonly threads: readonly ThreadSummary[];
}

/** What the sidebar lists. */
export interface Grouped {
  readonly pinned: readonly ThreadSummary[];
  readonly folders: readonly FolderGroup[];
}

/** Groups `threads`; the order of the input does not matter. */
export function group(threads: Iterable<ThreadSummary>): Grouped {
  const pinned: ThreadSummary[] = [];
  const byFolder = new Map<string, ThreadSummary[]>();
  for (const thread of threads) {
    if (thread.pinned) {
      pinned.push(thread);
      continue;
    }
    const there = byFolder.get(thread.cwd);
    if (there) there.push(thread);
    else byFolder.set(thread.cwd, [thread]);
  }
  pinned.sort(newestFirst);
  const labels = folderLabels([...byFolder.keys()]);
  const folders = [...byFolder].map(([cwd, list]) => ({
    cwd,
    label: labels.get(cwd) ?? cwd,
    threads: list.sort(newestFirst),
  }));
  folders.sort((a, b) => (b.threads[0]?.updatedMs ?? 0) - (a.threads[0]?.updatedMs ?? 0) || compare(a.cwd, b.cwd));
  return { pinned, folders };
}

/** A short name for each folder: its last part, and its parents only where two would look the same. */
export function folderLabels(folders: readonly string[]): Map<string, string> {
  const parts = new Map(folders.map((folder) => [folder, folder.split(/[\\/]/).filter((part) => part !== "")]));
  const labels = new Map<string, string>();
  let open = [...parts.keys()];
  for (let depth = 1; open.length > 0; depth += 1) {
    const taken = new Map<string, string[]>();
    for (const folder of open) {
      const label = (parts.get(folder) ?? []).slice(-depth).join("/") || folder;
      taken.set(label, [...(taken.get(label) ?? []), folder]);
    }
    open = [];
    for (const [label, same] of taken) {
      for (const folder of same) {
        // A folder with no further parent to show keeps the label it has.
        if (same.length === 1 || depth >= (parts.get(folder)?.length ?? 0)) labels.set(folder, label);
        else open.push(folder);
      }
    }
  }
  return labels;
}

function newestFirst(a: ThreadSummary, b: ThreadSummary): number {
  return b.updatedMs - a.updatedMs || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One line of the sidebar. */
export type Row =
  | { readonly type: "pinned"; readonly id: string; readonly size: number; readonly open: boolean }
  | { readonly type: "folder"; readonly id: string; readonly group: FolderGroup; readonly open: boolean }
  | { readonly type: "thread"; readonly id: string; readonly thread: ThreadSummary; readonly place: number; readonly of: number };

/** Where the folded headings are remembered under for the pinned threads. */
export const PINNED = "pinned";

/** The sidebar as lines, without the threads under folded headings. */
export function lines(grouped: Grouped, folded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const add = (threads: readonly ThreadSummary[]) => {
    threads.forEach((thread, at) => rows.push({ type: "thread", id: thread.id, thread, place: at + 1, of: threads.length }));
  };
  if (grouped.pinned.length > 0) {
    const open = !folded.has(PINNED);
    rows.push({ type: "pinned", id: PINNED, size: grouped.pinned.length, open });
    if (open) add(grouped.pinned);
  }
  for (const folder of grouped.folders) {
    const open = !folded.has(folder.cwd);
    rows.push({ type: "folder", id: `folder:${folder.cwd}`, group: folder, open });
    if (open) add(folder.threads);
  }
  return rows;
}
