// Prompts that wait for the running turn to end.
import { Clock, X } from "lucide-react";

import { IconButton } from "../../components/Button";
import { host } from "../../host";
import { useWords } from "../../i18n";
import type { ThreadId } from "../../protocol";
import { tellFailure, useStore } from "../../state/store";
import css from "./Queue.module.css";
import { strings } from "./strings";

export function Queue({ threadId }: { threadId: ThreadId }) {
  const queue = useStore((it) => it.threads[threadId]?.queue);
  const t = useWords(strings);
  if (queue === undefined || queue.length === 0) return null;
  return (
    <section className={css.queue} aria-label={t("queued", { count: queue.length })} data-testid="queue">
      <ul>
        {queue.map(({ id, input }) => (
          <li key={id} className={css.row} data-testid="queue-row">
            <Clock aria-hidden />
            <span className={css.text} title={input.text}>{input.text === "" ? input.attachments.map((path) => path.split(/[\\/]/).at(-1)).join(", ") : input.text}</span>
            <IconButton small label={t("takeBack")} icon={<X />} onClick={() => void host.ask("queue/remove", { threadId, id }).catch(tellFailure)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
