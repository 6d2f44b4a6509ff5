// A table: only the cells on screen are drawn, a click on a heading sorts.
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useState } from "react";

import { useRows } from "../../hooks/useRows";
import { useTongue, useWords } from "../../i18n";
import { columnWidths, visibleColumns } from "./columns";
import css from "./CsvPreview.module.css";
import { amount, parse, sort } from "./csv";
import { extension } from "./kind";
import { strings } from "./strings";

const ROW = 28;
const NUMBER = 56;

export function CsvPreview({ text, name }: { text: string; name: string }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const table = useMemo(() => parse(text, extension(name) === "tsv" ? "\t" : undefined), [text, name]);
  const widths = useMemo(() => columnWidths(table), [table]);
  const [order, setOrder] = useState<{ column: number; descending: boolean }>();
  const rows = useMemo(
    () => (order === undefined ? table.rows : sort(table.rows, order.column, order.descending, tongue)),
    [table, order, tongue],
  );
  const window = useRows<HTMLDivElement>(rows.length + 1, ROW);
  const [across, setAcross] = useState({ left: 0, width: 1200 });
  const total = widths.reduce((sum, width) => sum + width, 0);
  const { first, end, offset } = visibleColumns(widths, across.left - NUMBER, across.width);
  const columns = widths.slice(first, end).map((width, n) => ({ at: first + n, width }));

  // A first click sorts upwards, a second one downwards, a third one gives the file's own order back.
  const sortBy = (column: number) =>
    setOrder((it) => (it?.column !== column ? { column, descending: false } : it.descending ? undefined : { column, descending: true }));

  return (
    <>
      <div
        ref={window.box}
        className={css.grid}
        role="grid"
        aria-label={name}
        aria-rowcount={rows.length + 1}
        aria-colcount={table.columns}
        tabIndex={0}
        data-testid="preview-csv"
        onScroll={(event) => {
          window.onScroll(event);
          const { scrollLeft, clientWidth } = event.currentTarget;
          setAcross((it) => (it.left === scrollLeft && it.width === clientWidth ? it : { left: scrollLeft, width: clientWidth }));
        }}
      >
        <div className={css.header} role="row" aria-rowindex={1} style={{ width: total + NUMBER, height: ROW }}>
          <span className={css.corner} style={{ width: NUMBER }} />
          <span style={{ width: offset, flex: "none" }} />
          {columns.map(({ at, width }) => {
            const label = table.header[at] ?? "";
            const shown = label === "" ? t("column", { column: at + 1 }) : label;
            const sorted = order?.column === at ? (order.descending ? "descending" : "ascending") : undefined;
            return (
              <span key={at} role="columnheader" aria-colindex={at + 1} aria-sort={sorted ?? "none"} style={{ width }} className={css.headCell}>
                <button type="button" className={css.sort} title={t("sortBy", { column: shown })} onClick={() => sortBy(at)}>
                  <span className={css.label}>{shown}</span>
                  {sorted === "ascending" && <ArrowUp aria-hidden />}
                  {sorted === "descending" && <ArrowDown aria-hidden />}
                </button>
              </span>
            );
          })}
        </div>
        {/* The heading takes the first line's room, so that the last row can be scrolled to. */}
        <div style={{ ...window.whole, height: Math.max(0, Number(window.whole.height) - ROW), width: total + NUMBER }} role="presentation">
          <div style={window.shift} role="presentation">
            {rows.slice(window.first, Math.min(window.end, rows.length)).map((row, n) => {
              const at = window.first + n;
              return (
                <div key={at} role="row" aria-rowindex={at + 2} className={css.row} style={{ height: ROW }}>
                  <span className={css.number} style={{ width: NUMBER }} role="presentation">{at + 1}</span>
                  <span style={{ width: offset, flex: "none" }} />
                  {columns.map((column) => {
                    const cell = row[column.at] ?? "";
                    return (
                      <span key={column.at} role="gridcell" aria-colindex={column.at + 1} title={cell} style={{ width: column.width }} className={`${css.cell} ${amount(cell) === undefined ? "" : css.amount}`}>
                        {cell}
                      </span>
                    );
                  })}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <p className={css.count}>
        {t("rows", { count: rows.length })} · {t("columns", { count: table.columns })}
      </p>
    </>
  );
}
