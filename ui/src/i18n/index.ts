// The words on screen, in the person's language.
import { useStore } from "../state/store";
import { say, type Say, type Table, type Tongue } from "./words";

export { say, tongueOf, words, type Phrase, type Say, type Table, type Tongue, type Values } from "./words";

export function useTongue(): Tongue {
  return useStore((it) => it.tongue);
}

/** The words of one table in the language of the screen. */
export function useWords<K extends string>(table: Table<K>): Say<K> {
  const tongue = useTongue();
  return (key, values) => say(table, tongue, key, values);
}
