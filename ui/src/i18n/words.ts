// Words: each feature keeps its own table in both languages; a table that lacks a key does not compile.
export type Tongue = "en" | "zh-CN";
export type Phrase = string | { one: string; other: string };
export interface Table<K extends string = string> {
  en: Record<K, Phrase>;
  "zh-CN": Record<K, Phrase>;
}
export type Values = Record<string, string | number>;
export type Say<K extends string> = (key: K, values?: Values) => string;

/** Declares a table. English says which keys there are. */
export function words<const T extends Record<string, Phrase>>(table: { en: T; "zh-CN": Record<keyof T, Phrase> }): Table<keyof T & string> {
  return table;
}

const numbers: Record<Tongue, Intl.NumberFormat> = { en: new Intl.NumberFormat("en"), "zh-CN": new Intl.NumberFormat("zh-CN") };

/** Says one phrase. `count` chooses between one and other. */
export function say<K extends string>(table: Table<K>, tongue: Tongue, key: K, values: Values = {}): string {
  const phrase = table[tongue][key];
  const text = typeof phrase === "string" ? phrase : values.count === 1 ? phrase.one : phrase.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers[tongue].format(value) : value;
  });
}

/** Which of our languages a tag means. */
export function tongueOf(tag: string): Tongue {
  return tag.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}
