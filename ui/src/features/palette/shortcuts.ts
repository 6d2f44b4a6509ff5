// The keyboard: which keys do what, how they are shown, and which action a key press means. One list for the palette, the menus and the settings' Keyboard page.

/** Actions that have a shortcut. */
export const SHORTCUTS = {
  palette: "Mod+K",
  newThread: "Mod+N",
  search: "Mod+Shift+F",
  settings: "Mod+,",
  toggleSidebar: "Mod+B",
  toggleSidePane: "Mod+J",
  focusComposer: "Mod+L",
  nextThread: "Mod+Alt+ArrowDown",
  previousThread: "Mod+Alt+ArrowUp",
  renameThread: "F2",
} as const satisfies Record<string, string>;

/** An action that has a shortcut. */
export type ShortcutName = keyof typeof SHORTCUTS;

/** What of a key press counts. */
export interface KeyPress {
  readonly key: string;
  readonly code?: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly isComposing?: boolean;
}

/** Whether `press` is the shortcut `keys`, where Mod is ⌘ on a Mac and Ctrl elsewhere. */
export function matches(press: KeyPress, keys: string, mac: boolean): boolean {
  if (press.isComposing === true) return false;
  const { key, mod, alt, shift } = parse(keys);
  const modHeld = mac ? press.metaKey : press.ctrlKey;
  const otherHeld = mac ? press.ctrlKey : press.metaKey;
  if (modHeld !== mod || otherHeld || press.altKey !== alt || press.shiftKey !== shift) return false;
  // Alt and other layouts change the letter a key gives; the key itself stays the same.
  return press.key.toLowerCase() === key.toLowerCase() || press.code === `Key${key.toUpperCase()}`;
}

/** The keys of a shortcut as the platform writes them, one cap each. */
export function caps(keys: string, mac: boolean): string[] {
  const { key, mod, alt, shift } = parse(keys);
  const cap = NAMES.get(key) ?? (key.length === 1 ? key.toUpperCase() : key);
  if (mac) return [...(alt ? ["⌥"] : []), ...(shift ? ["⇧"] : []), ...(mod ? ["⌘"] : []), cap];
  return [...(mod ? ["Ctrl"] : []), ...(alt ? ["Alt"] : []), ...(shift ? ["Shift"] : []), cap];
}

/** For `aria-keyshortcuts`. */
export function aria(keys: string, mac: boolean): string {
  return keys.replace("Mod", mac ? "Meta" : "Control");
}

const NAMES = new Map([
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["Escape", "Esc"],
  ["Enter", "↵"],
]);

function parse(keys: string): { key: string; mod: boolean; alt: boolean; shift: boolean } {
  const parts = keys.split("+");
  return {
    key: parts.at(-1) ?? "",
    mod: parts.includes("Mod"),
    alt: parts.includes("Alt"),
    shift: parts.includes("Shift"),
  };
}
