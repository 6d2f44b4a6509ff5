// A PDF, page by page: a page is drawn when it comes near the screen and forgotten when it is far away.
import { Maximize2, ZoomIn, ZoomOut } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { useTongue, useWords } from "../../i18n";
import { Facts, Loading, type PreviewProps } from "./Preview";
import { openPdf, TextLayer, type Opened, type PDFDocumentProxy } from "./pdf";
import css from "./PdfPreview.module.css";
import { strings } from "./strings";
import tools from "./Preview.module.css";

const LEAST = 0.25;
const MOST = 5;
const STEP = 1.25;
const EDGE = 16;

interface Size {
  width: number;
  height: number;
}

type State = Opened | { state: "loading" } | { state: "failed" };

export function PdfPreview({ url, artifact, reference }: PreviewProps & { url: string }) {
  const t = useWords(strings);
  const [state, setState] = useState<State>({ state: "loading" });

  useEffect(() => {
    const gone = new AbortController();
    let close: (() => void) | undefined;
    const load = async () => {
      const response = await fetch(url, { signal: gone.signal });
      if (!response.ok) throw new Error(String(response.status));
      const opened = await openPdf(await response.arrayBuffer());
      if (opened.state === "open") close = opened.close;
      if (gone.signal.aborted) close?.();
      else setState(opened);
    };
    load().catch(() => {
      if (!gone.signal.aborted) setState({ state: "failed" });
    });
    return () => {
      gone.abort();
      close?.();
    };
  }, [url]);

  switch (state.state) {
    case "loading":
      return <Loading name={artifact.name} />;
    case "open":
      return <Pages pdf={state.pdf} name={artifact.name} />;
    case "locked":
      return <Facts artifact={artifact} reference={reference} title={t("pdfLocked")} hint={t("unknownHint")} />;
    case "broken":
    case "failed":
      return <Facts artifact={artifact} reference={reference} title={t("pdfBroken")} hint={t("unknownHint")} />;
  }
}

function Pages({ pdf, name }: { pdf: PDFDocumentProxy; name: string }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  /** Of the paper's own size; as wide as the pane when absent. */
  const [zoom, setZoom] = useState<number>();
  /** Sizes of the pages that were looked at; the others are taken to be like the first. */
  const [sizes, setSizes] = useState<Record<number, Size>>({});
  const [near, setNear] = useState<ReadonlySet<number>>(new Set([1]));
  const [current, setCurrent] = useState(1);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        setNear((it) => {
          const next = new Set(it);
          for (const entry of entries) {
            const page = Number((entry.target as HTMLElement).dataset.page);
            if (entry.isIntersecting) next.add(page);
            else next.delete(page);
          }
          return next;
        });
      },
      // One screen above and below is drawn ahead.
      { root: element, rootMargin: "100% 0px" },
    );
    for (const page of element.querySelectorAll("[data-page]")) observer.observe(page);
    return () => observer.disconnect();
  }, [pdf]);

  const first = sizes[1];
  const fitted = first === undefined || room === 0 ? 1 : Math.max(LEAST, (room - 2 * EDGE) / first.width);
  const scale = zoom ?? fitted;
  const by = (factor: number) => setZoom((it) => Math.min(MOST, Math.max(LEAST, (it ?? fitted) * factor)));

  const onScroll = () => {
    const element = box.current;
    if (element === null) return;
    const middle = element.scrollTop + element.clientHeight / 2;
    const pages = [...element.querySelectorAll<HTMLElement>("[data-page]")];
    const at = pages.findLastIndex((page) => page.offsetTop <= middle);
    setCurrent(Math.max(1, at + 1));
  };

  return (
    <>
      <div ref={box} className={css.pages} tabIndex={0} role="document" aria-label={name} data-testid="preview-pdf" onScroll={onScroll}>
        {Array.from({ length: pdf.numPages }, (_, n) => n + 1).map((page) => {
          const size = sizes[page] ?? first ?? { width: 595, height: 842 };
          return (
            <div
              key={page}
              data-page={page}
              className={css.page}
              role="group"
              aria-label={t("page", { page, count: pdf.numPages })}
              style={{ width: size.width * scale, height: size.height * scale }}
            >
              {near.has(page) && <Page pdf={pdf} page={page} scale={scale} onSize={(own) => setSizes((it) => ({ ...it, [page]: own }))} />}
            </div>
          );
        })}
      </div>
      <div className={tools.tools}>
        <IconButton small label={t("zoomOut")} icon={<ZoomOut />} onClick={() => by(1 / STEP)} />
        <Button small tone="quiet" aria-label={t("actualSize")} onClick={() => setZoom(1)}>
          {new Intl.NumberFormat(tongue, { style: "percent" }).format(scale)}
        </Button>
        <IconButton small label={t("zoomIn")} icon={<ZoomIn />} onClick={() => by(STEP)} />
        <IconButton small label={t("zoomFit")} icon={<Maximize2 />} aria-pressed={zoom === undefined} onClick={() => setZoom(undefined)} />
        <span className={tools.fact}>{t("page", { page: current, count: pdf.numPages })}</span>
      </div>
    </>
  );
}

function Page({ pdf, page, scale, onSize }: { pdf: PDFDocumentProxy; page: number; scale: number; onSize: (size: Size) => void }) {
  const t = useWords(strings);
  const canvas = useRef<HTMLCanvasElement>(null);
  const text = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const tellSize = useRef(onSize);
  tellSize.current = onSize;

  useEffect(() => {
    let stop: (() => void) | undefined;
    let current = true;
    const draw = async () => {
      const proxy = await pdf.getPage(page);
      const own = proxy.getViewport({ scale: 1 });
      const paper = canvas.current;
      const words = text.current;
      if (!current || paper === null || words === null) return;
      tellSize.current({ width: own.width, height: own.height });
      // Sharp on dense screens, within what a canvas can hold.
      const dense = Math.min(devicePixelRatio, 2, Math.sqrt(16_000_000 / (own.width * own.height * scale * scale)));
      const viewport = proxy.getViewport({ scale: scale * dense });
      paper.width = Math.floor(viewport.width);
      paper.height = Math.floor(viewport.height);
      const drawing = proxy.render({ canvas: paper, viewport });
      words.replaceChildren();
      const layer = new TextLayer({ textContentSource: proxy.streamTextContent(), container: words, viewport: proxy.getViewport({ scale }) });
      stop = () => {
        drawing.cancel();
        layer.cancel();
      };
      await Promise.all([drawing.promise, layer.render()]);
    };
    draw().catch((thrown: unknown) => {
      // Scrolling away cancels a drawing; that is no failure.
      if (current && !(thrown instanceof Error && /cancel|abort/i.test(thrown.name))) setFailed(true);
    });
    return () => {
      current = false;
      stop?.();
    };
  }, [pdf, page, scale]);

  if (failed) return <p className={css.failed}>{t("pageFailed")}</p>;
  return (
    <>
      <canvas ref={canvas} className={css.canvas} aria-hidden />
      <div ref={text} className={css.text} style={{ "--total-scale-factor": scale } as React.CSSProperties} />
    </>
  );
}
