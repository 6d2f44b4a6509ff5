// The pages of the settings and what the search finds on them. A test keeps every entry on a page that shows it.
import type { strings } from "./strings";

type Word = keyof typeof strings.en;

export const PAGES = ["providers", "rules", "appearance", "keyboard", "data", "about"] as const;

/** A page of the settings. */
export type PageId = (typeof PAGES)[number];

/** Something the search finds. */
export interface Entry {
  readonly page: PageId;
  /** The `data-setting` to scroll to; the top of the page when absent. */
  readonly setting?: string;
  readonly word: Word;
  /** Further words whose text leads here too. */
  readonly also: readonly Word[];
}

export const ENTRIES: readonly Entry[] = [
  { page: "providers", word: "providers", also: ["addProvider", "baseUrl", "apiKey", "wireApi", "model"] },
  { page: "providers", setting: "found", word: "foundHere", also: ["lookAgain"] },
  { page: "rules", word: "rules", also: [] },
  { page: "rules", setting: "approval", word: "approval", also: ["approvalUntrusted", "approvalOnRequest", "approvalNever"] },
  { page: "rules", setting: "sandbox", word: "sandbox", also: ["sandboxReadOnly", "sandboxWorkspace", "sandboxFull"] },
  { page: "rules", setting: "network", word: "network", also: ["networkHint"] },
  { page: "rules", setting: "roots", word: "roots", also: ["rootsHint", "addFolder"] },
  { page: "rules", setting: "rules", word: "ruleList", also: ["addRule", "ruleAllow", "ruleDeny"] },
  { page: "rules", setting: "test", word: "wouldAsk", also: ["wouldAskHint"] },
  { page: "appearance", word: "appearance", also: [] },
  { page: "appearance", setting: "theme", word: "theme", also: ["themeLight", "themeDark"] },
  { page: "appearance", setting: "language", word: "language", also: [] },
  { page: "appearance", setting: "density", word: "density", also: ["densityReport", "densityNormal", "densityVerbose"] },
  { page: "keyboard", word: "keyboard", also: ["keyboardIntro"] },
  { page: "data", word: "data", also: ["dataHome", "dataThreads", "dataKeys", "dataTelemetry"] },
  { page: "about", word: "about", also: ["licence"] },
  { page: "about", setting: "doctor", word: "doctor", also: ["doctorIntro"] },
];

/** The page that a name means; the first one if it means none. */
export function pageOf(name: string | undefined): PageId {
  return PAGES.find((page) => page === name) ?? "providers";
}
