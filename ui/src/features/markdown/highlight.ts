// Colours for code. The grammars and the engine are loaded when the first code block needs them; regular expressions are
// the browser's own, so that the content policy needs no exception for WebAssembly.
import type { GrammarState, HighlighterCore, LanguageRegistration, ThemedToken } from "shiki/core";

type Grammar = () => Promise<{ default: LanguageRegistration[] }>;

const GRAMMARS: Record<string, Grammar> = {
  bash: () => import("@shikijs/langs/bash"),
  c: () => import("@shikijs/langs/c"),
  cpp: () => import("@shikijs/langs/cpp"),
  csharp: () => import("@shikijs/langs/csharp"),
  css: () => import("@shikijs/langs/css"),
  diff: () => import("@shikijs/langs/diff"),
  docker: () => import("@shikijs/langs/docker"),
  go: () => import("@shikijs/langs/go"),
  html: () => import("@shikijs/langs/html"),
  ini: () => import("@shikijs/langs/ini"),
  java: () => import("@shikijs/langs/java"),
  javascript: () => import("@shikijs/langs/javascript"),
  json: () => import("@shikijs/langs/json"),
  jsx: () => import("@shikijs/langs/jsx"),
  kotlin: () => import("@shikijs/langs/kotlin"),
  lua: () => import("@shikijs/langs/lua"),
  make: () => import("@shikijs/langs/make"),
  markdown: () => import("@shikijs/langs/markdown"),
  php: () => import("@shikijs/langs/php"),
  powershell: () => import("@shikijs/langs/powershell"),
  python: () => import("@shikijs/langs/python"),
  ruby: () => import("@shikijs/langs/ruby"),
  rust: () => import("@shikijs/langs/rust"),
  sql: () => import("@shikijs/langs/sql"),
  swift: () => import("@shikijs/langs/swift"),
  toml: () => import("@shikijs/langs/toml"),
  tsx: () => import("@shikijs/langs/tsx"),
  typescript: () => import("@shikijs/langs/typescript"),
  xml: () => import("@shikijs/langs/xml"),
  yaml: () => import("@shikijs/langs/yaml"),
};

const ALIASES: Record<string, string> = {
  "c++": "cpp", cc: "cpp", h: "c", hpp: "cpp", cjs: "javascript", console: "bash", cs: "csharp", dockerfile: "docker", js: "javascript",
  jsonc: "json", kt: "kotlin", makefile: "make", md: "markdown", mjs: "javascript", mts: "typescript", patch: "diff", ps1: "powershell", py: "python",
  rb: "ruby", rs: "rust", sh: "bash", shell: "bash", svg: "xml", ts: "typescript", yml: "yaml", zsh: "bash",
};

/** The grammar for a fence's word or a file's ending. */
export function grammarOf(name: string | undefined): string | undefined {
  const key = name?.toLowerCase();
  if (key === undefined) return undefined;
  const known = ALIASES[key] ?? key;
  return known in GRAMMARS ? known : undefined;
}

let highlighter: Promise<HighlighterCore> | undefined;

async function create(): Promise<HighlighterCore> {
  const [core, engine] = await Promise.all([import("shiki/core"), import("shiki/engine/javascript")]);
  // The colours are our tokens, so that a change of theme needs no new highlighting.
  const theme = core.createCssVariablesTheme({
    name: "tokens", variablePrefix: "--code-", fontStyle: false,
    variableDefaults: {
      foreground: "var(--code-text)", "token-comment": "var(--code-comment)", "token-keyword": "var(--code-keyword)",
      "token-string": "var(--code-string)", "token-string-expression": "var(--code-string)", "token-constant": "var(--code-number)",
      "token-function": "var(--code-name)", "token-parameter": "var(--code-text)", "token-punctuation": "var(--code-text)", "token-link": "var(--code-string)",
    },
  });
  return core.createHighlighterCore({ engine: engine.createJavaScriptRegexEngine({ forgiving: true }), themes: [theme], langs: [] });
}

/** Loads the engine and one grammar. */
export async function load(grammar: string): Promise<Highlight> {
  highlighter ??= create();
  const it = await highlighter;
  const wanted = GRAMMARS[grammar];
  if (wanted !== undefined && !it.getLoadedLanguages().includes(grammar)) await it.loadLanguage((await wanted()).default);
  return (code, grammarState) => {
    const lines = it.codeToTokensBase(code, { lang: grammar, theme: "tokens", grammarState, tokenizeMaxLineLength: 2000 });
    return { lines, state: it.getLastGrammarState(lines) };
  };
}

export type Highlight = (code: string, state?: GrammarState) => { lines: ThemedToken[][]; state: GrammarState | undefined };

/** Highlights text that grows: finished lines are never looked at again. */
export class Growing {
  private done = "";
  private state: GrammarState | undefined;
  private lines: ThemedToken[][] = [];

  constructor(private readonly highlight: Highlight) {}

  /** Lines of `code`; a line that is not finished yet comes plain, unless `whole`. */
  take(code: string, whole: boolean): ThemedToken[][] {
    if (!code.startsWith(this.done)) {
      this.done = "";
      this.state = undefined;
      this.lines = [];
    }
    const end = code.lastIndexOf("\n") + 1;
    if (end > this.done.length) {
      // Without its last line break, which would count as one more line.
      const { lines, state } = this.highlight(code.slice(this.done.length, end - 1), this.state);
      this.lines = [...this.lines, ...lines];
      this.state = state;
      this.done = code.slice(0, end);
    }
    const rest = code.slice(end);
    if (rest === "") return this.lines;
    const last = whole ? this.highlight(rest, this.state).lines : [[{ content: rest, offset: 0 }]];
    return [...this.lines, ...last];
  }
}
