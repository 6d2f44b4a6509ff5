// Splits a search snippet into what matched and what is around it.

/** A piece of a snippet. */
export interface Piece {
  readonly text: string;
  readonly match: boolean;
}

/** The engine encloses what matched in U+0002 and U+0003; a snippet cut in the middle of a match closes it itself. */
export function pieces(snippet: string): Piece[] {
  const found: Piece[] = [];
  let match = false;
  let text = "";
  const flush = () => {
    if (text !== "") found.push({ text, match });
    text = "";
  };
  for (const char of snippet.replace(/\s+/g, " ")) {
    if (char === "\u0002" || char === "\u0003") {
      flush();
      match = char === "\u0002";
    } else {
      text += char;
    }
  }
  flush();
  return found;
}
