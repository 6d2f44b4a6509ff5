// Ranks short lists of names by how well a few typed letters fit. Larger lists are the engine's work.

/** A name that fits, with the places of the letters. */
export interface Fit<T> {
  readonly item: T;
  readonly score: number;
  /** UTF-16 positions of the matched letters in the name. */
  readonly at: readonly number[];
}

/** Those `items` that fit `query`, best first; equally good ones keep their order. All of them for an empty query. */
export function rank<T>(items: readonly T[], query: string, name: (item: T) => string, also: (item: T) => string = () => ""): Fit<T>[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits: Fit<T>[] = [];
  for (const item of items) {
    const found = fit(name(item), also(item), words);
    if (found) fits.push({ item, ...found });
  }
  return fits.sort((a, b) => b.score - a.score);
}

/** Every word must fit the name, or else stand in the further text, which counts less. */
function fit(name: string, also: string, words: readonly string[]): { score: number; at: number[] } | undefined {
  let score = 0;
  const at: number[] = [];
  const lower = name.toLowerCase();
  const further = also.toLowerCase();
  for (const word of words) {
    const found = letters(lower, name, word);
    if (found) {
      score += found.score;
      at.push(...found.at);
    } else if (further.includes(word)) {
      score += 1;
    } else {
      return undefined;
    }
  }
  return { score, at: [...new Set(at)].sort((a, b) => a - b) };
}

function letters(lower: string, name: string, word: string): { score: number; at: number[] } | undefined {
  const whole = wholeWord(lower, word);
  if (whole >= 0) {
    const start = boundary(name, whole);
    // A contiguous match wins over scattered letters, at the start of a word more so, and in a short name more so.
    const score = 100 + (whole === 0 ? 60 : start ? 40 : 0) - Math.min(lower.length, 40) / 4;
    return { score, at: Array.from(word, (_, i) => whole + i) };
  }
  const at: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of word) {
    const next = lower.indexOf(letter, from);
    if (next < 0) return undefined;
    if (boundary(name, next)) score += 8;
    else if (at.at(-1) === next - 1) score += 5;
    else score -= Math.min(next - from, 6);
    at.push(next);
    from = next + 1;
  }
  return score > 0 ? { score, at } : undefined;
}

/** Where `word` stands in `name`, at the beginning of a word if it does so anywhere. */
function wholeWord(name: string, word: string): number {
  const first = name.indexOf(word);
  for (let at = first; at >= 0; at = name.indexOf(word, at + 1)) {
    if (boundary(name, at)) return at;
  }
  return first;
}

function boundary(name: string, at: number): boolean {
  if (at === 0) return true;
  const before = name[at - 1] ?? "";
  const here = name[at] ?? "";
  return /[\s\-_/.:\\]/.test(before) || (/[a-z]/.test(before) && /[A-Z]/.test(here));
}
