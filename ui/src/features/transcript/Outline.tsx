// All prompts of a thread, to jump between them; those that are not on the page are read first.
import { TableOfContents } from "lucide-react";
import { useState } from "react";

import { IconButton } from "../../components/Button";
import { Menu, MenuItem } from "../../components/Menu";
import { host } from "../../host";
import { useWords } from "../../i18n";
import { useClockTime } from "../../i18n/format";
import type { ThreadId, TurnSummary } from "../../protocol";
import { readThread, tellFailure, useStore } from "../../state/store";
import css from "./Outline.module.css";
import { strings } from "./strings";

export function Outline({ threadId }: { threadId: ThreadId }) {
  const [turns, setTurns] = useState<TurnSummary[]>([]);
  const t = useWords(strings);
  const clock = useClockTime();

  const jump = async (turn: TurnSummary) => {
    try {
      if (useStore.getState().threads[threadId]?.turns.some((it) => it.id === turn.id && it.whole) !== true) await readThread(threadId, turn.firstSeq);
      useStore.setState({ target: { threadId, itemId: turn.id } });
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  return (
    <div className={css.rail}>
      <Menu
        align="end" label={t("outline")}
        trigger={<IconButton label={t("outline")} icon={<TableOfContents />} onClick={() => void host.ask("thread/outline", { threadId }).then(setTurns, tellFailure)} />}
      >
        {turns.map((turn) => (
          <MenuItem key={turn.id} onClick={() => void jump(turn)}>
            <span className={css.prompt}>{turn.prompt === "" ? t("noPrompt") : turn.prompt}</span>
            <span className={css.when}>{clock(turn.startedMs)}</span>
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}
