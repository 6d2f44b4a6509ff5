// Shortcuts on the page: how they are written on this machine, and the one listener that turns keys into actions.
import { useCallback, useEffect } from "react";

import { useStore } from "../../state/store";
import { caps, matches, SHORTCUTS, type ShortcutName } from "./shortcuts";

/** Whether this machine has a ⌘ key. */
export function useMac(): boolean {
  return useStore((it) => it.info?.platform === "macos");
}

/** The keys of an action as text, for tooltips and menus. */
export function useShortcutText(): (name: ShortcutName) => string {
  const mac = useMac();
  return useCallback((name) => caps(SHORTCUTS[name], mac).join(mac ? "" : "+"), [mac]);
}

/** Runs `actions` by their shortcuts, wherever the focus is. */
export function useShortcuts(actions: Partial<Record<ShortcutName, () => void>>): void {
  const mac = useMac();
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return;
      for (const [name, run] of Object.entries(actions) as [ShortcutName, () => void][]) {
        if (matches(event, SHORTCUTS[name], mac)) {
          event.preventDefault();
          run();
          return;
        }
      }
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [actions, mac]);
}
