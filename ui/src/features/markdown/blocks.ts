// Cuts Markdown into blocks that can be drawn apart, so that a streamed answer draws only its last one again.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST = /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/;
const INDENTED = /^(?: {2,}|\t)/;

/** The blocks in order; joined by a blank line they are the text. */
export function blocks(text: string): string[] {
  const found: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  let list = false;
  let blank = false;

  const close = () => {
    while (lines.at(-1)?.trim() === "") lines.pop();
    if (lines.length > 0) found.push(lines.join("\n"));
    lines = [];
    list = false;
  };

  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      lines.push(line);
      // A fence closes with at least as many of the same character and nothing after them.
      if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
      continue;
    }
    if (line.trim() === "") {
      blank = true;
      lines.push(line);
      continue;
    }
    const goesOn = INDENTED.test(line) || (list && LIST.test(line));
    if (blank && !goesOn) close();
    blank = false;
    if (lines.length === 0) list = LIST.test(line);
    if (mark !== undefined) fence = mark;
    lines.push(line);
  }
  close();
  return found;
}
