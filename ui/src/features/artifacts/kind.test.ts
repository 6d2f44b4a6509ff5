import { expect, it } from "vitest";
import { previewKind, type PreviewKind } from "./kind";

const cases: [string, string, PreviewKind][] = [
  ["chart.png", "image/png", "image"],
  ["logo.svg", "image/svg+xml", "image"],
  ["scan.tiff", "image/tiff", "unknown"],
  ["report.md", "text/markdown", "markdown"],
  ["README.md", "text/plain", "markdown"],
  ["sales.csv", "text/csv; charset=utf-8", "csv"],
  ["sales.tsv", "text/plain", "csv"],
  ["page.html", "text/html", "html"],
  ["page.xhtml", "application/xhtml+xml", "text"],
  ["paper.pdf", "application/pdf", "pdf"],
  ["paper.pdf", "application/octet-stream", "pdf"],
  ["main.rs", "application/octet-stream", "text"],
  ["data.json", "application/json", "text"],
  ["feed", "application/atom+xml", "text"],
  ["Dockerfile", "application/octet-stream", "text"],
  ["deck.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "unknown"],
  [".env", "application/octet-stream", "unknown"],
];

for (const [name, mediaType, kind] of cases) {
  it(`previews ${name} (${mediaType}) as ${kind}`, () => expect(previewKind(name, mediaType)).toBe(kind));
}
