// The rule form as a value, and the words of a command prefix as a person types them.
import type { RuleDraft, RuleEffect } from "../../protocol";

/** How long a rule holds, as offered by the form. */
export type Lasting = "forever" | "hour" | "day" | "week" | "kept";

/** What the form holds. */
export interface RuleForm {
  readonly subject: "commandPrefix" | "write";
  /** The beginning of a command, as typed. */
  readonly prefix: string;
  readonly escalated: boolean;
  /** The folder that may be written. */
  readonly target: string;
  readonly effect: RuleEffect;
  /** Only in this folder; empty for everywhere. */
  readonly folder: string;
  readonly lasting: Lasting;
  /** The end the rule had when the form was opened. */
  readonly expiresMs: number | undefined;
}

/** Something that is wrong with the form. */
export type RuleProblem = "prefixMissing" | "quoteOpen" | "prefixSyntax" | "folderRelative" | "targetMissing";

/** An empty form. */
export const NEW_RULE: RuleForm = {
  subject: "commandPrefix",
  prefix: "",
  escalated: false,
  target: "",
  effect: "allow",
  folder: "",
  lasting: "forever",
  expiresMs: undefined,
};

/** The form for a rule that is there. */
export function fromDraft(rule: RuleDraft): RuleForm {
  const common = {
    effect: rule.effect,
    folder: rule.folder ?? "",
    lasting: rule.expiresMs === undefined ? "forever" : "kept",
    expiresMs: rule.expiresMs,
  } as const;
  if (rule.subject.type === "write") return { ...NEW_RULE, ...common, subject: "write", target: rule.subject.folder };
  return { ...NEW_RULE, ...common, prefix: join(rule.subject.prefix), escalated: rule.subject.escalated };
}

/** The draft, or what is wrong. */
export function toDraft(form: RuleForm, nowMs: number): RuleDraft | { problem: RuleProblem } {
  const folder = form.folder.trim();
  if (folder !== "" && !absolute(folder)) return { problem: "folderRelative" };
  const expiresMs = form.lasting === "kept" ? form.expiresMs : form.lasting === "forever" ? undefined : nowMs + LENGTHS[form.lasting];
  const common = {
    effect: form.effect,
    ...(folder === "" ? {} : { folder }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
  if (form.subject === "write") {
    const target = form.target.trim();
    if (target === "") return { problem: "targetMissing" };
    if (!absolute(target)) return { problem: "folderRelative" };
    return { subject: { type: "write", folder: target }, ...common };
  }
  const prefix = split(form.prefix);
  if (!Array.isArray(prefix)) return prefix;
  if (prefix.length === 0) return { problem: "prefixMissing" };
  return { subject: { type: "commandPrefix", prefix, escalated: form.escalated }, ...common };
}

/** The words of a command's beginning. Only plain words and quotes: a prefix is compared word by word, so shell syntax could never match. */
export function split(text: string): string[] | { problem: RuleProblem } {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const char of text) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>`$(){}*?]/.test(char)) {
      return { problem: "prefixSyntax" };
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) return { problem: "quoteOpen" };
  if (word !== undefined) words.push(word);
  return words;
}

/** The words as a person would type them. */
export function join(words: readonly string[]): string {
  return words
    .map((word) => {
      if (/^[^\s'"|&;<>`$(){}*?]+$/.test(word)) return word;
      return word.includes("'") ? `"${word}"` : `'${word}'`;
    })
    .join(" ");
}

const HOUR = 3_600_000;
const LENGTHS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const;

function absolute(path: string): boolean {
  return path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) || path.startsWith("\\\\");
}
