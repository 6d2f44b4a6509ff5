// The one door to the outside. Inside the window it is the window; in a plain browser it is the mock.
import type { Host } from "./types";

export { asFailure, type Host } from "./types";

export const inWindow = "__TAURI_INTERNALS__" in globalThis;

/** Set once by `connect`, before the first render. */
export let host: Host;

/** Loads the host of this page; the mock stays out of the window's bundle by being its own chunk. */
export async function connect(): Promise<Host> {
  host = inWindow ? (await import("./tauri")).tauriHost : (await import("./mock")).mockHost();
  return host;
}

/** For tests. */
export function replaceHost(other: Host): void {
  host = other;
}
