// The one polite live region: says when a turn ended and when something is asked.
import { useEffect, useRef, useState } from "react";

import { useWords } from "../i18n";
import { currentThread, useStore } from "../state/store";
import { strings } from "./strings";

export function Announcer() {
  const t = useWords(strings);
  const threadId = useStore((it) => currentThread(it)?.summary.id);
  const turn = useStore((it) => currentThread(it)?.turns.at(-1)?.id);
  const status = useStore((it) => currentThread(it)?.turns.at(-1)?.status);
  const asks = useStore((it) => currentThread(it)?.approvals.length ?? 0);
  const [text, setText] = useState("");
  const before = useRef({ threadId, turn, status: status?.type, asks });

  useEffect(() => {
    const was = before.current;
    before.current = { threadId, turn, status: status?.type, asks };
    // Opening a thread announces nothing: only what happens while it is open.
    if (was.threadId !== threadId) return;
    if (asks > was.asks) setText(t("asks"));
    else if (was.turn === turn && was.status === "running" && status !== undefined) {
      if (status.type === "completed") setText(t("turnDone"));
      if (status.type === "interrupted") setText(t("turnStopped"));
      if (status.type === "failed") setText(t("turnFailed", { message: status.failure.message }));
    }
  }, [threadId, turn, status, asks, t]);

  return <div className="unseen" role="status" aria-live="polite">{text}</div>;
}
