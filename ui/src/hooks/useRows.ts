// Rows of one height in a scrolling box: which of them to draw. A million of them cost no more than a screenful.
import { useCallback, useLayoutEffect, useRef, useState, type CSSProperties, type RefObject, type UIEvent } from "react";

/** Rows drawn beyond what can be seen, so that a quick scroll finds some. */
const BEYOND = 8;
/** Browsers stop placing things right beyond some ten million pixels. */
const TALLEST = 8_000_000;

export interface Rows<E extends HTMLElement> {
  /** For the scrolling box. */
  box: RefObject<E | null>;
  onScroll: (event: UIEvent<E>) => void;
  /** The first row to draw. */
  first: number;
  /** The row after the last one to draw. */
  end: number;
  /** For the element inside the box that is as tall as all rows. */
  whole: CSSProperties;
  /** For the element inside that one, which holds the drawn rows. */
  shift: CSSProperties;
  /** Scrolls so far that the row can be seen. */
  show: (row: number) => void;
}

/** Where a box that is scrolled to `top` is in the rows. A list taller than browsers can place is scrolled in proportion. */
export function windowOf(top: number, view: number, count: number, height: number): { first: number; end: number; offset: number; total: number } {
  const full = count * height;
  const total = Math.min(full, TALLEST);
  const scale = total > view ? (full - view) / (total - view) : 1;
  const at = Math.max(0, Math.min(top * scale, full - view));
  const first = Math.max(0, Math.min(Math.floor(at / height), count) - BEYOND);
  const end = Math.min(count, Math.ceil((at + view) / height) + BEYOND);
  return { first, end, offset: top - (at - first * height), total };
}

export function useRows<E extends HTMLElement>(count: number, height: number): Rows<E> {
  const box = useRef<E | null>(null);
  const [top, setTop] = useState(0);
  const [view, setView] = useState(600);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setView(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const { first, end, offset, total } = windowOf(top, view, count, height);
  const show = useCallback(
    (row: number) => {
      const element = box.current;
      if (element === null) return;
      const here = windowOf(element.scrollTop, element.clientHeight, count, height);
      const scale = (count * height - element.clientHeight) / Math.max(1, here.total - element.clientHeight);
      const from = row * height;
      const at = element.scrollTop * scale;
      if (from < at) element.scrollTop = from / scale;
      else if (from + height > at + element.clientHeight) element.scrollTop = (from + height - element.clientHeight) / scale;
    },
    [count, height],
  );

  return {
    box,
    onScroll: (event) => setTop(event.currentTarget.scrollTop),
    first,
    end,
    whole: { height: total, position: "relative" },
    shift: { position: "absolute", left: 0, right: 0, top: 0, transform: `translateY(${String(offset)}px)` },
    show,
  };
}
