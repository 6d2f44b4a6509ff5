// Reads delimited text into rows, as spreadsheets write it: quotes, doubled quotes, line breaks in cells, any line end.

/** A table. Every row has as many cells as the widest one of the file has columns, or fewer. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Cells of the widest row. */
  readonly columns: number;
}

const DELIMITERS = [",", ";", "\t", "|"] as const;

/** Reads `text`; the delimiter is the one that cuts the first lines most evenly. */
export function parse(text: string, delimiter = detect(text)): Table {
  const rows: string[][] = [];
  let columns = 0;
  for (const row of records(text, delimiter)) {
    columns = Math.max(columns, row.length);
    rows.push(row);
  }
  return { header: rows[0] ?? [], rows: rows.slice(1), columns };
}

/** The delimiter of `text`. */
export function detect(text: string): string {
  let best = ",";
  let bestScore = 0;
  const head = text.slice(0, 64 * 1024);
  for (const delimiter of DELIMITERS) {
    const widths: number[] = [];
    for (const row of records(head, delimiter)) {
      widths.push(row.length);
      if (widths.length === 20) break;
    }
    const first = widths[0] ?? 1;
    const even = widths.filter((it) => it === first).length / Math.max(widths.length, 1);
    const score = first > 1 ? even * 1000 + first : 0;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

/** The rows of `table`, sorted by one column; numbers by value, empty cells last in both directions. */
export function sort(
  rows: readonly (readonly string[])[],
  column: number,
  descending: boolean,
  locale: string,
): (readonly string[])[] {
  const words = new Intl.Collator(locale, { numeric: true });
  const keys = rows.map((row) => {
    const cell = row[column] ?? "";
    return { row, cell, number: amount(cell) };
  });
  const sign = descending ? -1 : 1;
  keys.sort((a, b) => {
    if (a.cell === "" || b.cell === "") return Number(a.cell === "") - Number(b.cell === "");
    if (a.number !== undefined && b.number !== undefined) return sign * (a.number - b.number);
    if (a.number !== undefined || b.number !== undefined) return sign * (a.number !== undefined ? -1 : 1);
    return sign * words.compare(a.cell, b.cell);
  });
  return keys.map((it) => it.row);
}

/** The number a cell shows, with thousands separators, a currency or a percent sign; none if it shows something else. */
export function amount(cell: string): number | undefined {
  const plain = cell.trim().replace(/^([-+]?)[¥$€£]\s?/, "$1").replace(/\s?%$/, "");
  if (!/^[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?(e[-+]?\d+)?$/i.test(plain) || !/\d/.test(plain)) return undefined;
  return Number(plain.replace(/,/g, ""));
}

function* records(text: string, delimiter: string): Generator<string[]> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const end = text.length;
  while (at < end) {
    const row: string[] = [];
    for (;;) {
      let cell: string;
      if (text[at] === '"') {
        [cell, at] = quoted(text, at + 1);
        // Whatever stands between the closing quote and the delimiter belongs to the cell: such files exist.
        const [rest, next] = bare(text, at, delimiter);
        cell += rest;
        at = next;
      } else {
        [cell, at] = bare(text, at, delimiter);
      }
      row.push(cell);
      if (text[at] !== delimiter) break;
      at += 1;
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    // An empty line is no row.
    if (row.length > 1 || row[0] !== "") yield row;
  }
}

function quoted(text: string, start: number): [string, number] {
  let cell = "";
  let at = start;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return [cell + text.slice(at), text.length];
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [cell, quote + 1];
    cell += '"';
    at = quote + 2;
  }
}

function bare(text: string, start: number, delimiter: string): [string, number] {
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === delimiter || char === "\n" || char === "\r") break;
    at += 1;
  }
  return [text.slice(start, at), at];
}
