// Text and code: a window of lines over however many there are, coloured when that is affordable.
import { useEffect, useMemo, useState } from "react";
import type { ThemedToken } from "shiki/core";

import { useRows } from "../../hooks/useRows";
import { useWords } from "../../i18n";
import { grammarOf, load } from "../markdown/highlight";
import { extension } from "./kind";
import css from "./Preview.module.css";
import { strings } from "./strings";

const LINE = 19;
/** Beyond this many letters the page would stand still while the colours are worked out. */
const COLOURED = 300_000;

export function TextPreview({ text, name }: { text: string; name: string }) {
  const t = useWords(strings);
  const lines = useMemo(() => text.replace(/\n$/, "").split(/\r?\n/), [text]);
  const colours = useColours(text, name);
  const window = useRows<HTMLDivElement>(lines.length, LINE);
  const digits = `${String(String(lines.length).length + 2)}ch`;
  return (
    <>
      <div ref={window.box} className={css.code} tabIndex={0} role="region" aria-label={name} data-testid="preview-text" onScroll={window.onScroll}>
        <div style={window.whole}>
          <div style={window.shift}>
            {lines.slice(window.first, window.end).map((line, n) => {
              const at = window.first + n;
              const tokens = colours?.[at];
              return (
                <div key={at} className={css.line}>
                  <span className={css.number} style={{ minWidth: digits }} aria-hidden>{at + 1}</span>
                  <code>{tokens === undefined ? line : tokens.map((token, k) => <span key={k} style={{ color: token.color }}>{token.content}</span>)}</code>
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <p className={css.note}>{t("lines", { count: lines.length })}</p>
    </>
  );
}

/** The coloured lines, once the grammar is there; none for plain or very long text. */
function useColours(text: string, name: string): ThemedToken[][] | undefined {
  const [coloured, setColoured] = useState<{ text: string; lines: ThemedToken[][] }>();
  const grammar = text.length > COLOURED ? undefined : (grammarOf(name) ?? grammarOf(extension(name)));
  useEffect(() => {
    if (grammar === undefined) return;
    let current = true;
    load(grammar).then(
      (highlight) => {
        if (current) setColoured({ text, lines: highlight(text.replace(/\r\n/g, "\n").replace(/\n$/, "")).lines });
      },
      // Without colours the text is still there.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [text, grammar]);
  return coloured?.text === text ? coloured.lines : undefined;
}
