// The place of one turn in the page. Far from view it is only as high as the turn was, so that the page stays small however long the thread.
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode, type RefObject } from "react";

const NEAR = "1500px 0px";

/** Tells slots when they come near the view. One observer serves a whole transcript. */
export class Nearness {
  private readonly listeners = new Map<Element, (near: boolean) => void>();
  private readonly observer: IntersectionObserver;

  constructor(root: Element) {
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) this.listeners.get(entry.target)?.(entry.isIntersecting);
    }, { root, rootMargin: NEAR });
  }

  stop(): void {
    this.observer.disconnect();
  }

  watch(element: Element, listener: (near: boolean) => void): () => void {
    this.listeners.set(element, listener);
    this.observer.observe(element);
    return () => {
      this.listeners.delete(element);
      this.observer.unobserve(element);
    };
  }
}

export function Slot({ nearness, scroller, pinned, children }: {
  nearness: Nearness | undefined;
  scroller: RefObject<HTMLElement | null>;
  /** Always drawn. */
  pinned: boolean;
  children: ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const height = useRef<number>(undefined);
  // Drawn at first, so that its height is known before it is ever left out.
  const [near, setNear] = useState(true);
  const drawn = near || pinned;

  useEffect(() => {
    const it = box.current;
    if (it === null || nearness === undefined) return undefined;
    return nearness.watch(it, (next) => {
      if (!next) height.current = it.offsetHeight;
      setNear(next);
    });
  }, [nearness]);

  // A turn that comes back above the view with another height (the window is narrower now) must not move what is read.
  useLayoutEffect(() => {
    const it = box.current;
    const view = scroller.current;
    if (!drawn || it === null || view === null || height.current === undefined) return;
    const grown = it.offsetHeight - height.current;
    height.current = undefined;
    if (grown !== 0 && it.getBoundingClientRect().top < view.getBoundingClientRect().top) view.scrollTop += grown;
  }, [drawn, scroller]);

  return <div ref={box} style={drawn ? undefined : { height: height.current }}>{drawn ? children : null}</div>;
}
