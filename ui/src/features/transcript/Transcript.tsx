// The turns of a thread: older ones on demand, the newest followed while they are written, unless the person reads elsewhere.
import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { Button } from "../../components/Button";
import { Empty } from "../../components/Field";
import { useWords } from "../../i18n";
import type { Approval, ThreadId } from "../../protocol";
import { readOlder, tellFailure, useStore } from "../../state/store";
import { Outline } from "./Outline";
import { Nearness, Slot } from "./Slot";
import { strings } from "./strings";
import css from "./Transcript.module.css";
import { TurnView } from "./TurnView";

/** Within this distance the end counts as in view. */
const END = 48;
/** Coming this near to the top reads the page above. */
const TOP = 800;
/** The newest turns are always in the page: for screen readers and for the browser's own find. */
const PINNED = 12;
const FOUND_MS = 1600;
const NONE: Approval[] = [];

export function Transcript({ threadId }: { threadId: ThreadId }) {
  const turns = useStore((it) => it.threads[threadId]?.turns);
  const approvals = useStore((it) => it.threads[threadId]?.approvals) ?? NONE;
  const before = useStore((it) => it.threads[threadId]?.before);
  const folder = useStore((it) => it.threads[threadId]?.summary.cwd ?? "");
  const target = useStore((it) => (it.target?.threadId === threadId ? it.target.itemId : undefined));
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const lastTop = useRef(0);
  const [atEnd, setAtEnd] = useState(true);
  const [nearness, setNearness] = useState<Nearness>();
  const [found, setFound] = useState<string>();
  const t = useWords(strings);

  useEffect(() => {
    if (scroller.current === null) return undefined;
    const watching = new Nearness(scroller.current);
    setNearness(watching);
    return () => watching.stop();
  }, []);

  const toEnd = useCallback(() => {
    const view = scroller.current;
    if (view === null) return;
    following.current = true;
    view.scrollTop = view.scrollHeight;
  }, []);

  // Whatever makes the content higher, the end stays in view while it is followed.
  useLayoutEffect(() => {
    const view = scroller.current;
    const inner = content.current;
    if (view === null || inner === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (following.current) view.scrollTop = view.scrollHeight;
      setAtEnd(view.scrollHeight - view.scrollTop - view.clientHeight < END);
    });
    observer.observe(inner);
    observer.observe(view);
    return () => observer.disconnect();
  }, []);

  // One's own prompt is always shown.
  const prompts = turns?.at(-1)?.id;
  const known = useRef(prompts);
  useLayoutEffect(() => {
    if (known.current !== prompts && prompts !== undefined && target === undefined) toEnd();
    known.current = prompts;
  }, [prompts, target, toEnd]);

  // A page that comes in above must not move what is read.
  const [reading, setReading] = useState(false);
  const fromEnd = useRef<number>(undefined);
  const readAbove = useCallback(async () => {
    const view = scroller.current;
    if (view === null || reading) return;
    setReading(true);
    try {
      fromEnd.current = view.scrollHeight - view.scrollTop;
      await readOlder(threadId);
    } catch (thrown) {
      tellFailure(thrown);
    } finally {
      setReading(false);
    }
  }, [threadId, reading]);
  const first = turns?.[0];
  const firstItem = first?.items[0]?.id ?? first?.id;
  useLayoutEffect(() => {
    const view = scroller.current;
    if (view !== null && fromEnd.current !== undefined && !following.current) view.scrollTop = view.scrollHeight - fromEnd.current;
    fromEnd.current = undefined;
  }, [firstItem]);

  const onScroll = () => {
    const view = scroller.current;
    if (view === null) return;
    const left = view.scrollHeight - view.scrollTop - view.clientHeight;
    // Only the person's own way up ends the following; content that grows does not scroll up.
    if (view.scrollTop < lastTop.current - 1 && left > END) following.current = false;
    else if (left < END) following.current = true;
    lastTop.current = view.scrollTop;
    setAtEnd(left < END);
    if (view.scrollTop < TOP && before !== undefined && !following.current) void readAbove();
  };

  // A short page may not fill the window.
  useEffect(() => {
    const view = scroller.current;
    if (view !== null && before !== undefined && view.scrollHeight <= view.clientHeight) void readAbove();
  }, [before, firstItem, readAbove]);

  const targetTurn = target === undefined ? undefined : turns?.find((turn) => turn.items.some((item) => item.id === target) || turn.id === target);
  useEffect(() => {
    if (target === undefined || targetTurn === undefined) return undefined;
    following.current = false;
    const element = document.getElementById(target) ?? document.getElementById(`turn-${targetTurn.id}`)?.parentElement;
    if (element === null || element === undefined) return undefined;
    element.scrollIntoView({ block: target === targetTurn.id ? "start" : "center" });
    element.dataset.found = "";
    setFound(targetTurn.id);
    const timer = setTimeout(() => {
      delete element.dataset.found;
      useStore.setState({ target: undefined });
    }, FOUND_MS);
    return () => {
      clearTimeout(timer);
      delete element.dataset.found;
    };
  }, [target, targetTurn?.id, targetTurn]);

  if (turns === undefined) return null;
  return (
    <div className={css.frame}>
      <div ref={scroller} className={css.scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label={t("transcript")}>
        <div ref={content} className={css.content}>
          {before !== undefined && (
            <div className={css.older}>
              {reading ? <span>{t("reading")}</span> : <Button small tone="quiet" onClick={() => void readAbove()}>{t("older")}</Button>}
            </div>
          )}
          {turns.length === 0 && <Empty title={t("emptyTitle")}><p>{t("emptyNote", { folder })}</p></Empty>}
          {turns.map((turn, i) => (
            <Slot key={turn.id} nearness={nearness} scroller={scroller} pinned={i >= turns.length - PINNED || turn === targetTurn}>
              <TurnView
                turn={turn} number={i + 1} threadId={threadId} openAll={turn.id === targetTurn?.id || turn.id === found}
                approvals={i === turns.length - 1 ? approvals : NONE}
              />
            </Slot>
          ))}
        </div>
      </div>
      {turns.length > 1 && <Outline threadId={threadId} />}
      {!atEnd && (
        <Button className={css.latest} small icon={<ArrowDown />} onClick={toEnd}>{t(approvals.length > 0 ? "question" : "latest")}</Button>
      )}
    </div>
  );
}
