// What other parts of the screen may wish of the sidebar, which alone knows how: events, because the wish has no lasting state.
import type { ThreadId } from "../../protocol";
import { toggleSidebar, useStore } from "../../state/store";

export const FOCUS_SEARCH = "zspark:focus-search";
export const RENAME = "zspark:rename-thread";

/** Shows the sidebar if it is hidden, and asks once it is there. */
function ask(event: Event): void {
  if (useStore.getState().sidebar) {
    dispatchEvent(event);
    return;
  }
  toggleSidebar();
  requestAnimationFrame(() => dispatchEvent(event));
}

export function focusSearch(): void {
  ask(new Event(FOCUS_SEARCH));
}

export function renameInSidebar(threadId: ThreadId): void {
  ask(new CustomEvent(RENAME, { detail: threadId }));
}
