// Decides how an artifact is previewed, from its name and media type.

/** How an artifact is previewed. */
export type PreviewKind = "image" | "markdown" | "csv" | "html" | "pdf" | "text" | "unknown";

const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/avif", "image/bmp", "image/x-icon"]);

/** The preview for a file. The media type decides; the ending helps where it is vague. */
export function previewKind(name: string, mediaType: string): PreviewKind {
  const type = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
  const ending = extension(name);
  if (IMAGES.has(type)) return "image";
  if (type === "application/pdf" || ending === "pdf") return "pdf";
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  if (type === "text/markdown" || ending === "md" || ending === "markdown") return "markdown";
  if (type === "text/csv" || type === "text/tab-separated-values" || ending === "csv" || ending === "tsv") return "csv";
  if (type.startsWith("text/") || TEXT_TYPES.has(type) || type.endsWith("+json") || type.endsWith("+xml")) return "text";
  return language(name) === undefined ? "unknown" : "text";
}

/** The ending of a file name, without its dot, in lower case. */
export function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** The language to highlight a file in; none where it is not known to be code. */
export function language(name: string): string | undefined {
  const whole = NAMES.get(name.toLowerCase());
  return whole ?? ENDINGS.get(extension(name));
}

const TEXT_TYPES = new Set([
  "application/json",
  "application/xml",
  "application/javascript",
  "application/typescript",
  "application/toml",
  "application/yaml",
  "application/x-yaml",
  "application/x-sh",
  "application/sql",
]);

const NAMES = new Map([
  ["dockerfile", "docker"],
  ["makefile", "make"],
]);

const ENDINGS = new Map([
  ["bash", "bash"],
  ["c", "c"],
  ["cc", "cpp"],
  ["cpp", "cpp"],
  ["cs", "csharp"],
  ["css", "css"],
  ["diff", "diff"],
  ["go", "go"],
  ["h", "c"],
  ["hpp", "cpp"],
  ["ini", "ini"],
  ["java", "java"],
  ["js", "javascript"],
  ["json", "json"],
  ["jsonl", "json"],
  ["jsx", "jsx"],
  ["kt", "kotlin"],
  ["lock", "text"],
  ["log", "text"],
  ["lua", "lua"],
  ["mjs", "javascript"],
  ["patch", "diff"],
  ["php", "php"],
  ["ps1", "powershell"],
  ["py", "python"],
  ["rb", "ruby"],
  ["rs", "rust"],
  ["scss", "scss"],
  ["sh", "bash"],
  ["sql", "sql"],
  ["swift", "swift"],
  ["toml", "toml"],
  ["ts", "typescript"],
  ["tsx", "tsx"],
  ["txt", "text"],
  ["vue", "vue"],
  ["xml", "xml"],
  ["yaml", "yaml"],
  ["yml", "yaml"],
]);
