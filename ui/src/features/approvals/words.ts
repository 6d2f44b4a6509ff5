// The words of a command prefix as text and back.

/** Words as one line; a word with spaces or quotes is quoted. */
export function joinWords(list: string[]): string {
  return list.map((word) => (word === "" || /[\s"]/.test(word) ? `"${word.replace(/(["\\])/g, "\\$1")}"` : word)).join(" ");
}

export function splitWords(line: string): string[] {
  const found: string[] = [];
  for (const match of line.matchAll(/"((?:[^"\\]|\\.)*)"?|\S+/g)) {
    found.push(match[1] === undefined ? match[0] : match[1].replace(/\\(["\\])/g, "$1"));
  }
  return found;
}
