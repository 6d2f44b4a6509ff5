// A clock that runs only while something is being timed. Many clocks share one timer.
import { useSyncExternalStore } from "react";

const SECOND = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function listen(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, SECOND);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

const never = () => () => undefined;

/** The time, each second while `running`. */
export function useNow(running: boolean): number {
  return useSyncExternalStore(running ? listen : never, () => now);
}
