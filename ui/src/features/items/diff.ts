// A unified diff without file headers, as rows to draw.

export interface DiffLine {
  kind: "same" | "add" | "del";
  text: string;
  /** Line numbers before and after. */
  old?: number;
  new?: number;
}

export interface Hunk {
  /** `@@ … @@` and what follows it. */
  header: string;
  lines: DiffLine[];
}

const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

export function hunks(diff: string): Hunk[] {
  const found: Hunk[] = [];
  let before = 0;
  let after = 0;
  const lines = diff.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const header = HEADER.exec(line);
    if (header !== null) {
      before = Number(header[1]);
      after = Number(header[2]);
      found.push({ header: header[3] ?? "", lines: [] });
      continue;
    }
    const hunk = found.at(-1);
    if (hunk === undefined || line.startsWith("\\")) continue;
    const text = line.slice(1);
    if (line.startsWith("+")) {
      hunk.lines.push({ kind: "add", text, new: after });
      after += 1;
    } else if (line.startsWith("-")) {
      hunk.lines.push({ kind: "del", text, old: before });
      before += 1;
    } else {
      hunk.lines.push({ kind: "same", text, old: before, new: after });
      before += 1;
      after += 1;
    }
  }
  return found;
}

/** Rows of a side-by-side view: what was removed beside what was added in its place. */
export function pairs(lines: DiffLine[]): [DiffLine | undefined, DiffLine | undefined][] {
  const rows: [DiffLine | undefined, DiffLine | undefined][] = [];
  let gone: DiffLine[] = [];
  let come: DiffLine[] = [];
  const flush = () => {
    for (let i = 0; i < Math.max(gone.length, come.length); i += 1) rows.push([gone[i], come[i]]);
    gone = [];
    come = [];
  };
  for (const line of lines) {
    if (line.kind === "del") {
      if (come.length > 0) flush();
      gone.push(line);
    } else if (line.kind === "add") {
      come.push(line);
    } else {
      flush();
      rows.push([line, line]);
    }
  }
  flush();
  return rows;
}
