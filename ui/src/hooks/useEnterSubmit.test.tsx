import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";

import { useEnterSubmit } from "./useEnterSubmit";

let root: Root;
let field: HTMLTextAreaElement;
let entered: string[];

function Field() {
  const enter = useEnterSubmit<HTMLTextAreaElement>((event) => entered.push(event.ctrlKey ? "ctrl" : "plain"));
  return <textarea {...enter} />;
}

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  entered = [];
  const place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  act(() => root.render(<Field />));
  field = place.querySelector("textarea") ?? document.createElement("textarea");
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
});

function fire(event: Event, timeStamp = 1000): boolean {
  Object.defineProperty(event, "timeStamp", { value: timeStamp });
  let unprevented = true;
  act(() => {
    unprevented = field.dispatchEvent(event);
  });
  return unprevented;
}

function enter(init: KeyboardEventInit & { keyCode?: number } = {}, timeStamp = 1000): boolean {
  return fire(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init }), timeStamp);
}

test("Enter submits, with its modifiers; Shift+Enter is a line break", () => {
  enter();
  enter({ ctrlKey: true });
  expect(enter({ shiftKey: true })).toBe(true);
  expect(entered).toEqual(["plain", "ctrl"]);
});

test("the Enter that accepts a candidate never submits", () => {
  fire(new CompositionEvent("compositionstart", { bubbles: true }), 100);
  enter({}, 200);
  fire(new CompositionEvent("compositionend", { bubbles: true }), 300);
  // WebKit reports this Enter after the end of the composition.
  expect(enter({}, 310)).toBe(false);
  expect(entered).toEqual([]);
  enter({}, 900);
  expect(entered).toEqual(["plain"]);
});

test("a key that belongs to an input method by its code never submits", () => {
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  Object.defineProperty(event, "keyCode", { value: 229 });
  fire(event);
  expect(entered).toEqual([]);
});
