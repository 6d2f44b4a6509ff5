// A window over the kept output of a command. A million lines cost as much as a hundred: only what is in view is read and drawn.
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useReducer, useRef, useState, type Ref } from "react";

import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { OutputRef } from "../../protocol";
import { runs } from "./ansi";
import { Runs } from "./Command";
import css from "./OutputLines.module.css";
import { strings } from "./strings";

const LINE = 19;
const CHUNK = 400;
const KEPT_CHUNKS = 24;
/** Engines end an element's height somewhere above 16 million pixels; beyond this the scroll bar is a scale. */
const TALLEST = 12_000_000;

export interface OutputHandle {
  /** Brings a line into view. */
  show(line: number): void;
  /** The first line in view. */
  first(): number;
}

export function OutputLines({ threadId, output, rows, marked, find, ref }: {
  threadId: string;
  output: OutputRef;
  /** Lines in view; fills its parent when absent. */
  rows?: number;
  /** A line to set apart. */
  marked?: number;
  /** Shown with a background wherever it occurs in view. */
  find?: string;
  ref?: Ref<OutputHandle>;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [inView, setInView] = useState(rows ?? 40);
  const total = output.lines;
  const chunks = useChunks(threadId, output.blob, first, inView);
  const t = useWords(strings);

  const height = Math.min(total * LINE, TALLEST);
  const lineAt = useCallback((top: number, viewport: number) => {
    const most = Math.max(0, total - Math.floor(viewport / LINE));
    const scrollable = height - viewport;
    return scrollable <= 0 ? 0 : Math.min(most, Math.round((top / scrollable) * most));
  }, [height, total]);

  const look = useCallback(() => {
    const it = box.current;
    if (it === null) return;
    setFirst(lineAt(it.scrollTop, it.clientHeight));
    setInView(Math.ceil(it.clientHeight / LINE) + 1);
  }, [lineAt]);

  useLayoutEffect(() => {
    const it = box.current;
    if (it === null) return undefined;
    const observer = new ResizeObserver(look);
    observer.observe(it);
    return () => observer.disconnect();
  }, [look]);

  useImperativeHandle(ref, () => ({
    first: () => first,
    show: (line) => {
      const it = box.current;
      if (it === null) return;
      const most = Math.max(1, total - Math.floor(it.clientHeight / LINE));
      const wanted = Math.max(0, line - Math.floor(it.clientHeight / LINE / 2));
      it.scrollTop = (Math.min(wanted, most) / most) * (height - it.clientHeight);
    },
  }), [first, height, total]);

  const digits = String(total).length;
  const lines = Array.from({ length: Math.max(0, Math.min(inView, total - first)) }, (_, i) => first + i);
  return (
    <div ref={box} className={css.box} style={rows === undefined ? { height: "100%" } : { maxHeight: rows * LINE + 12 }} onScroll={look} tabIndex={0} role="region" aria-label={t("output")}>
      <div className={css.all} style={{ height: height + 8 }}>
        <pre className={css.view} style={{ "--digits": `${String(digits + 1)}ch` } as React.CSSProperties}>
          {lines.map((line) => (
            <div key={line} className={css.line} data-marked={line === marked || undefined}>
              <span className={css.number} aria-hidden>{line + 1}</span>
              <span>{chunks.failed ?? <Text text={chunks.line(line)} find={find} />}</span>
            </div>
          ))}
        </pre>
      </div>
    </div>
  );
}

function Text({ text, find }: { text: string | undefined; find?: string }) {
  if (text === undefined) return "\u00a0";
  const line = runs(text)[0] ?? [];
  if (find === undefined || find === "") return <Runs line={line} />;
  const whole = line.map((run) => run.text).join("");
  const at = whole.indexOf(find);
  if (at < 0) return <Runs line={line} />;
  // Marked lines give up their colours: a match may cross several runs.
  return <>{whole.slice(0, at)}<mark className={css.mark}>{find}</mark>{whole.slice(at + find.length)}</>;
}

function useChunks(threadId: string, blob: string, first: number, inView: number) {
  const cache = useRef(new Map<number, string[]>());
  const asked = useRef(new Set<number>());
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const [failed, setFailed] = useState<string>();

  useEffect(() => {
    const from = Math.floor(first / CHUNK);
    const to = Math.floor((first + inView) / CHUNK);
    for (let chunk = from; chunk <= to; chunk += 1) {
      if (cache.current.has(chunk) || asked.current.has(chunk)) continue;
      asked.current.add(chunk);
      host.ask("output/read", { threadId, blob, line: chunk * CHUNK, limit: CHUNK }).then(
        (window) => {
          asked.current.delete(chunk);
          cache.current.set(chunk, window.lines);
          for (const old of cache.current.keys()) {
            if (cache.current.size <= KEPT_CHUNKS) break;
            cache.current.delete(old);
          }
          draw();
        },
        (thrown: unknown) => setFailed(asFailure(thrown).message),
      );
    }
  }, [threadId, blob, first, inView]);

  return { failed, line: (line: number) => cache.current.get(Math.floor(line / CHUNK))?.[line % CHUNK] };
}
