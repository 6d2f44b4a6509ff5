// Text and code: a window of lines over however many there are, coloured when that is affordable.
import { useMemo } from "react";

import { useRows } from "../../hooks/useRows";
import { useWords } from "../../i18n";
import css from "./Preview.module.css";
import { strings } from "./strings";

const LINE = 19;

export function TextPreview({ text, name }: { text: string; name: string }) {
  const t = useWords(strings);
  const lines = useMemo(() => text.replace(/\n$/, "").split(/\r?\n/), [text]);
  const window = useRows<HTMLDivElement>(lines.length, LINE);
  const digits = `${String(String(lines.length).length + 2)}ch`;
  return (
    <>
      <div ref={window.box} className={css.code} tabIndex={0} role="region" aria-label={name} data-testid="preview-text" onScroll={window.onScroll}>
        <div style={window.whole}>
          <div style={window.shift}>
            {lines.slice(window.first, window.end).map((line, n) => (
              <div key={window.first + n} className={css.line}>
                <span className={css.number} style={{ minWidth: digits }} aria-hidden>{window.first + n + 1}</span>
                <code>{line}</code>
              </div>
            ))}
          </div>
        </div>
      </div>
      <p className={css.note}>{t("lines", { count: lines.length })}</p>
    </>
  );
}
