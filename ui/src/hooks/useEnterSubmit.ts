// Enter, safe for input methods: the Enter that accepts a Chinese or Japanese candidate never submits.
import { useRef, type CompositionEvent, type KeyboardEvent } from "react";

/** WebKit reports the end of a composition before the Enter that ended it. */
const AFTER_COMPOSITION_MS = 40;

export interface EnterProps<E extends Element> {
  onKeyDown: (event: KeyboardEvent<E>) => void;
  onCompositionStart: (event: CompositionEvent<E>) => void;
  onCompositionEnd: (event: CompositionEvent<E>) => void;
}

/** Whether the key belongs to an input method. */
export function isComposing(event: KeyboardEvent): boolean {
  // 229 is what browsers send for keys that an input method took.
  return event.nativeEvent.isComposing || event.keyCode === 229;
}

/**
 * Spread the result over a text field. `onEnter` gets each real Enter, with its modifiers; Shift+Enter is left to the field.
 * `onKey` sees every other key outside a composition and returns true when it took it.
 */
export function useEnterSubmit<E extends Element>(
  onEnter: (event: KeyboardEvent<E>) => void,
  onKey?: (event: KeyboardEvent<E>) => boolean,
): EnterProps<E> {
  const composing = useRef(false);
  const endedAt = useRef(Number.NEGATIVE_INFINITY);
  return {
    onCompositionStart: () => {
      composing.current = true;
    },
    onCompositionEnd: (event) => {
      composing.current = false;
      endedAt.current = event.timeStamp;
    },
    onKeyDown: (event) => {
      if (composing.current || isComposing(event)) return;
      if (event.key === "Enter" && event.timeStamp - endedAt.current < AFTER_COMPOSITION_MS) {
        event.preventDefault();
        return;
      }
      if (onKey?.(event)) {
        event.preventDefault();
        return;
      }
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        onEnter(event);
      }
    },
  };
}
