// The line between two columns: drag it, or focus it and use the arrow keys.
import { useState } from "react";

import css from "./Divider.module.css";

/** A width that is remembered. */
export function useWidth(key: string, initial: number, least: number, most: number): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => {
    const kept = Number(localStorage.getItem(key));
    return Number.isFinite(kept) && kept >= least && kept <= most ? kept : initial;
  });
  return [width, (next) => {
    const bounded = Math.round(Math.min(most, Math.max(least, next)));
    localStorage.setItem(key, String(bounded));
    setWidth(bounded);
  }];
}

const STEP = 16;

export function Divider({ label, width, onWidth, side }: { label: string; width: number; onWidth: (width: number) => void; side: "start" | "end" }) {
  const sign = side === "start" ? 1 : -1;
  return (
    // A separator that can be moved is a widget and takes the focus.
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      tabIndex={0}
      className={css.divider}
      onPointerDown={(down) => {
        down.preventDefault();
        const line = down.currentTarget;
        const startX = down.clientX;
        const move = (event: PointerEvent) => onWidth(width + sign * (event.clientX - startX));
        line.setPointerCapture(down.pointerId);
        line.addEventListener("pointermove", move);
        line.addEventListener("lostpointercapture", () => line.removeEventListener("pointermove", move), { once: true });
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") onWidth(width - sign * STEP);
        if (event.key === "ArrowRight") onWidth(width + sign * STEP);
      }}
    />
  );
}
