// How the items of a turn are laid out: what is said stands by itself, work between is grouped.
import type { Density, Item } from "../../protocol";

export type Segment = { type: "item"; item: Item } | { type: "work"; items: Item[] };

/** What a reader wants to see whatever the density. */
function standsAlone(item: Item, isLastWord: boolean, density: Density): boolean {
  switch (item.type) {
    case "userMessage":
    case "artifact":
    case "error":
      return true;
    case "agentMessage":
      return density !== "report" || isLastWord;
    case "reasoning":
    case "plan":
    case "command":
    case "commandInput":
    case "fileChange":
    case "imageView":
    case "toolCall":
      return false;
  }
}

export function segments(items: Item[], density: Density): Segment[] {
  const lastWord = items.findLastIndex((item) => item.type === "agentMessage");
  const found: Segment[] = [];
  items.forEach((item, i) => {
    const last = found.at(-1);
    if (standsAlone(item, i === lastWord, density)) found.push({ type: "item", item });
    else if (last?.type === "work") last.items.push(item);
    else found.push({ type: "work", items: [item] });
  });
  return found;
}

/** Beyond so many, the steps of a finished group fold into a line. */
const FOLD_ABOVE = 8;

/** How many of a group's steps, from its end, are shown before somebody asks for all. */
export function shownSteps(count: number, density: Density, running: boolean): number {
  switch (density) {
    case "report":
      return running ? 1 : 0;
    case "normal":
      if (running) return Math.min(count, FOLD_ABOVE);
      return count > FOLD_ABOVE ? 0 : count;
    case "verbose":
      return count;
  }
}
