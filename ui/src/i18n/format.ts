// Numbers for people: durations, sizes, times, in the language of the screen.
import { useTongue } from ".";
import type { Tongue } from "./words";

const UNITS = { en: { s: " s", m: " min", h: " h" }, "zh-CN": { s: " 秒", m: " 分", h: " 小时" } };

/** Rounded as a person would say it: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min. */
export function duration(ms: number, tongue: Tongue): string {
  const unit = UNITS[tongue];
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)}${unit.s}`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${String(seconds)}${unit.s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)}${unit.m}${seconds % 60 === 0 ? "" : ` ${String(seconds % 60)}${unit.s}`}`;
  return `${String(Math.floor(minutes / 60))}${unit.h}${minutes % 60 === 0 ? "" : ` ${String(minutes % 60)}${unit.m}`}`;
}

/** A running clock counts whole seconds. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const rest = `${String(Math.floor(seconds / 60) % 60).padStart(seconds >= 3600 ? 2 : 1, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return seconds >= 3600 ? `${String(Math.floor(seconds / 3600))}:${rest}` : rest;
}

export function bytes(size: number): string {
  const steps = ["B", "KB", "MB", "GB", "TB"];
  let value = size;
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${step === 0 || value >= 100 ? String(Math.round(value)) : value.toFixed(1)} ${steps[step] ?? ""}`;
}

/** 950, 46.2k, 1.2M. */
export function tokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

export function useClockTime(): (ms: number) => string {
  const tongue = useTongue();
  return (ms) => new Date(ms).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" });
}
