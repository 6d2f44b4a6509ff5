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
  if (type === "text/html") return "html";
  if (type === "text/markdown" || ending === "md" || ending === "markdown") return "markdown";
  if (type === "text/csv" || type === "text/tab-separated-values" || ending === "csv" || ending === "tsv") return "csv";
  if (type.startsWith("text/") || TEXT_TYPES.has(type) || type.endsWith("+json") || type.endsWith("+xml")) return "text";
  return TEXT_NAMES.has(name.toLowerCase()) || TEXT_ENDINGS.has(ending) ? "text" : "unknown";
}

/** The ending of a file name, without its dot, in lower case. */
export function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
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

const TEXT_NAMES = new Set(["dockerfile", "license", "makefile", "readme"]);

const TEXT_ENDINGS = new Set([
  "bash", "c", "cc", "cpp", "cs", "css", "diff", "go", "h", "hpp", "ini", "java", "js", "json", "jsonl", "jsx", "kt",
  "lock", "log", "lua", "mjs", "patch", "php", "ps1", "py", "rb", "rs", "scss", "sh", "sql", "swift", "toml", "ts",
  "tsx", "txt", "vue", "xml", "yaml", "yml",
]);
