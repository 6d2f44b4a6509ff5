import type { Window } from "happy-dom";
import { expect, test } from "vitest";

const view = (window as unknown as Window).happyDOM;

test("the sidebar comes as soon as there is room, and only when it is wanted", async () => {
  // As a window is that is not shown yet.
  view.setViewport({ width: 1 });
  const { toggleSidebar, useStore } = await import("./store");
  const seen = () => useStore.getState().sidebar;
  expect(seen()).toBe(false);
  view.setViewport({ width: 1200 });
  expect(seen()).toBe(true);
  view.setViewport({ width: 500 });
  expect(seen()).toBe(false);
  toggleSidebar();
  expect(seen()).toBe(true);
  view.setViewport({ width: 1200 });
  toggleSidebar();
  view.setViewport({ width: 500 });
  view.setViewport({ width: 1200 });
  expect(seen()).toBe(false);
});
