// The archived threads, read when they are looked at.
import { Archive } from "lucide-react";
import { useCallback, useEffect, useState } from "react";

import { Button } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { useRows } from "../../hooks/useRows";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { Failure, ThreadSummary } from "../../protocol";
import { useStore } from "../../state/store";
import css from "./ThreadList.module.css";
import { ThreadMenu, type MenuAt } from "./ThreadMenu";
import { ThreadRow } from "./ThreadRow";
import { strings } from "./strings";

const ROW = 32;

export function ArchivedThreads() {
  const t = useWords(strings);
  const [threads, setThreads] = useState<ThreadSummary[]>();
  const [failure, setFailure] = useState<Failure>();
  // A thread that comes back or goes shows up here as a change of the list.
  const listed = useStore((it) => it.summaries.length);

  const read = useCallback(() => {
    setFailure(undefined);
    host.ask("thread/list", { archived: true }).then(setThreads, (thrown: unknown) => setFailure(asFailure(thrown)));
  }, []);
  useEffect(read, [read, listed]);

  if (failure !== undefined) {
    return (
      <div className={css.message}>
        <FailureCard failure={failure} actions={<Button small onClick={read}>{t("tryAgain")}</Button>} />
      </div>
    );
  }
  if (threads === undefined) return <div className={css.tree} aria-busy="true" />;
  if (threads.length === 0) {
    return (
      <div className={css.message}>
        <Empty icon={<Archive aria-hidden />} title={t("emptyArchive")}><p>{t("emptyArchiveHint")}</p></Empty>
      </div>
    );
  }
  return <Rows threads={threads} onGone={(gone) => setThreads(threads.filter((it) => it.id !== gone.id))} />;
}

function Rows({ threads, onGone }: { threads: ThreadSummary[]; onGone: (thread: ThreadSummary) => void }) {
  const t = useWords(strings);
  const openId = useStore((it) => (it.place.view === "thread" ? it.place.threadId : undefined));
  const window = useRows<HTMLDivElement>(threads.length, ROW);
  const [menu, setMenu] = useState<MenuAt>();
  const [active, setActive] = useState<string>();
  return (
    <>
      <div ref={window.box} className={css.tree} role="tree" aria-label={t("archived")} tabIndex={0} onScroll={window.onScroll}>
        <div style={window.whole} role="presentation">
          <div style={window.shift} role="presentation">
            {threads.slice(window.first, window.end).map((thread, n) => (
              <ThreadRow
                key={thread.id}
                id={`archived-${thread.id}`}
                thread={thread}
                place={window.first + n + 1}
                of={threads.length}
                active={thread.id === active}
                open={thread.id === openId}
                renaming={false}
                onRename={() => undefined}
                onActive={() => setActive(thread.id)}
                onMenu={(x, y) => setMenu({ thread, x, y })}
              />
            ))}
          </div>
        </div>
      </div>
      <ThreadMenu at={menu} onClose={() => setMenu(undefined)} onGone={onGone} />
    </>
  );
}
