// The time, to the minute, for "how long ago" texts. A hidden page waits until it is seen again.
import { useSyncExternalStore } from "react";

const MINUTE = 60_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setTimeout> | undefined;

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
  plan();
}

function plan(): void {
  clearTimeout(timer);
  timer = undefined;
  if (listeners.size > 0 && !document.hidden) timer = setTimeout(tick, MINUTE - (Date.now() % MINUTE));
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) document.addEventListener("visibilitychange", onVisible);
  listeners.add(listener);
  if (timer === undefined) plan();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) document.removeEventListener("visibilitychange", onVisible);
    plan();
  };
}

function onVisible(): void {
  if (document.hidden) plan();
  else tick();
}

/** Milliseconds since the epoch, at most a minute old. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, () => now);
}
