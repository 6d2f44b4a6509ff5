// The picture for a kind of file.
import { File, FileCode, FileImage, FileSpreadsheet, FileText, Globe } from "lucide-react";

import type { PreviewKind } from "./kind";

export function KindIcon({ kind }: { kind: PreviewKind }) {
  switch (kind) {
    case "image":
      return <FileImage aria-hidden />;
    case "csv":
      return <FileSpreadsheet aria-hidden />;
    case "html":
      return <Globe aria-hidden />;
    case "text":
      return <FileCode aria-hidden />;
    case "markdown":
    case "pdf":
      return <FileText aria-hidden />;
    case "unknown":
      return <File aria-hidden />;
  }
}

/** The word for a kind of file. */
export function kindWord(kind: PreviewKind): "image" | "csv" | "html" | "text" | "markdown" | "pdf" | "file" {
  return kind === "unknown" ? "file" : kind;
}
