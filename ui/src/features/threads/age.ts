// How long ago something was, in as few letters as a list row has room for.

const STEPS = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["week", 7 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

const formats = new Map<string, Intl.NumberFormat>();

/** `3h`, `2w`; undefined for less than a minute, which the list says in a word. */
export function age(atMs: number, nowMs: number, locale: string): string | undefined {
  const since = nowMs - atMs;
  for (const [unit, length] of STEPS) {
    if (since >= length) {
      const key = `${locale} ${unit}`;
      let format = formats.get(key);
      if (format === undefined) {
        format = new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" });
        formats.set(key, format);
      }
      return format.format(Math.floor(since / length));
    }
  }
  return undefined;
}
