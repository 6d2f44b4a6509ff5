// How wide the columns of a table are, and which of them can be seen.
import type { Table } from "./csv";

const LETTER = 7.4;
const WIDE_LETTER = 13.5;
const PADDING = 22;
const LEAST = 56;
const MOST = 360;
/** Rows whose cells are measured. */
const SAMPLE = 200;

/** Widths in pixels, by the headings and the first rows. */
export function columnWidths(table: Table): number[] {
  const widths = Array.from({ length: table.columns }, (_, column) => letters(table.header[column] ?? "") + 16);
  for (const row of table.rows.slice(0, SAMPLE)) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, letters(cell));
    });
  }
  return widths.map((width) => Math.min(MOST, Math.max(LEAST, Math.ceil(width + PADDING))));
}

/** The columns between `left` and `left + width`, with one more on each side. */
export function visibleColumns(widths: readonly number[], left: number, width: number): { first: number; end: number; offset: number } {
  let first = 0;
  let offset = 0;
  while (first < widths.length - 1 && offset + (widths[first] ?? 0) <= left) {
    offset += widths[first] ?? 0;
    first += 1;
  }
  let end = first;
  let right = offset;
  while (end < widths.length && right < left + width) {
    right += widths[end] ?? 0;
    end += 1;
  }
  if (first > 0) {
    first -= 1;
    offset -= widths[first] ?? 0;
  }
  return { first, end: Math.min(widths.length, end + 1), offset };
}

function letters(text: string): number {
  let width = 0;
  for (const char of text.slice(0, 80)) {
    if (char === "\n") break;
    width += (char.codePointAt(0) ?? 0) >= 0x1100 ? WIDE_LETTER : LETTER;
  }
  return width;
}
