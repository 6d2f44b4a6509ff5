// The PDF reader: loaded with the first PDF, its parser in a worker of its own, nothing fetched from outside the app.
// This version of pdf.js evaluates no code; scripts and XFA forms inside of files stay off.
import { getDocument, GlobalWorkerOptions, InvalidPDFException, PasswordException, TextLayer, type PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import workerUrl from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?url";

export type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
export { TextLayer };

GlobalWorkerOptions.workerSrc = workerUrl;

// Addresses by file name: what a PDF may need beside its own fonts. Files are read when asked for.
const character = import.meta.glob<string>("/node_modules/pdfjs-dist/cmaps/*.bcmap", { query: "?url", import: "default", eager: true });
const fonts = import.meta.glob<string>("/node_modules/pdfjs-dist/standard_fonts/*.{pfb,ttf}", { query: "?url", import: "default", eager: true });
const byName = new Map([...Object.entries(character), ...Object.entries(fonts)].map(([path, url]) => [path.slice(path.lastIndexOf("/") + 1), url]));

/** Gives the parser its data by the addresses that the build gave to the files. */
class Bundled {
  async fetch({ filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    const url = byName.get(filename);
    if (url === undefined) throw new Error(`not bundled: ${filename}`);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${filename}: ${String(response.status)}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

export type Opened = { state: "open"; pdf: PDFDocumentProxy; close: () => void } | { state: "locked" } | { state: "broken" };

/** Opens a PDF. Close it when it is no longer shown: its worker keeps what it parsed. */
export async function openPdf(data: ArrayBuffer): Promise<Opened> {
  const task = getDocument({
    data: new Uint8Array(data),
    BinaryDataFactory: Bundled,
    useWorkerFetch: false,
    cMapPacked: true,
    // The content policy allows no WebAssembly.
    useWasm: false,
    enableXfa: false,
    stopAtErrors: false,
  });
  try {
    const pdf = await task.promise;
    return { state: "open", pdf, close: () => void task.destroy() };
  } catch (thrown) {
    void task.destroy();
    if (thrown instanceof PasswordException) return { state: "locked" };
    if (thrown instanceof InvalidPDFException) return { state: "broken" };
    throw thrown;
  }
}
