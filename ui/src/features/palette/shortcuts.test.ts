import { describe, expect, it } from "vitest";
import { aria, caps, matches, SHORTCUTS, type KeyPress } from "./shortcuts";

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

describe("matches", () => {
  const cases: [string, KeyPress, string, boolean, boolean][] = [
    ["Ctrl elsewhere", press("k", { ctrlKey: true }), "Mod+K", false, true],
    ["⌘ on a Mac", press("k", { metaKey: true }), "Mod+K", true, true],
    ["not Ctrl on a Mac", press("k", { ctrlKey: true }), "Mod+K", true, false],
    ["not without Mod", press("k"), "Mod+K", false, false],
    ["not with Shift too", press("K", { ctrlKey: true, shiftKey: true }), "Mod+K", false, false],
    ["Shift where asked", press("F", { ctrlKey: true, shiftKey: true }), "Mod+Shift+F", false, true],
    ["the key on another layout", press("л", { ctrlKey: true, code: "KeyK" }), "Mod+K", false, true],
    ["a comma", press(",", { ctrlKey: true }), "Mod+,", false, true],
    ["not while composing", press("k", { ctrlKey: true, isComposing: true }), "Mod+K", false, false],
    ["a function key", press("F2"), "F2", false, true],
  ];
  for (const [name, pressed, keys, mac, expected] of cases) {
    it(name, () => expect(matches(pressed, keys, mac)).toBe(expected));
  }
});

it("shows the keys as each platform writes them", () => {
  expect(caps("Mod+Shift+F", true)).toEqual(["⇧", "⌘", "F"]);
  expect(caps("Mod+Shift+F", false)).toEqual(["Ctrl", "Shift", "F"]);
  expect(caps("Mod+Alt+ArrowDown", false)).toEqual(["Ctrl", "Alt", "↓"]);
  expect(aria("Mod+K", true)).toBe("Meta+K");
});

it("gives no shortcut to two actions", () => {
  const all = Object.values(SHORTCUTS);
  expect(new Set(all).size).toBe(all.length);
});
