// Each kind of item by the component that draws it. A new kind does not compile until it is drawn.
import { memo, type ReactNode } from "react";

import { Button } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { host } from "../../host";
import { useWords } from "../../i18n";
import type { Failure, Item, ThreadId, TurnId } from "../../protocol";
import { showOverlay, tellFailure, useStore } from "../../state/store";
import { ArtifactCard } from "../artifacts/ArtifactCard";
import { plain } from "./ansi";
import { Command, CommandInput } from "./Command";
import { FileChange } from "./FileChange";
import css from "./ItemView.module.css";
import { AgentMessage, Reasoning, UserMessage } from "./Messages";
import { Plan } from "./Plan";
import { Step } from "./Step";
import { strings } from "./strings";

export interface ItemProps {
  item: Item;
  threadId: ThreadId;
  turnId: TurnId;
  /** It waits for an answer. */
  asked: boolean;
  /** All work is shown. */
  verbose: boolean;
}

export const ItemView = memo(function ItemView({ item, threadId, turnId, asked, verbose }: ItemProps) {
  switch (item.type) {
    case "userMessage":
      return <UserMessage item={item} threadId={threadId} turnId={turnId} />;
    case "agentMessage":
      return <AgentMessage item={item} />;
    case "reasoning":
      return <Reasoning item={item} open={verbose} />;
    case "plan":
      return <Plan item={item} open />;
    case "command":
      return <Command item={item} threadId={threadId} asked={asked} open={verbose} />;
    case "commandInput":
      return <CommandInput item={item} />;
    case "fileChange":
      return <FileChange item={item} threadId={threadId} turnId={turnId} asked={asked} open={verbose} />;
    case "imageView":
      return <ImageView item={item} />;
    case "artifact":
      return <ArtifactCard threadId={threadId} artifact={item.artifact} />;
    case "toolCall":
      return <ToolCall item={item} open={verbose} />;
    case "error":
      return <FailureCard tone="note" failure={item.failure} />;
  }
});

function ImageView({ item }: { item: Extract<Item, { type: "imageView" }> }) {
  const t = useWords(strings);
  return <Step item={item} verb={t("sawImage")} object={<code>{item.path.split(/[\\/]/).at(-1)}</code>} title={item.path}><code>{item.path}</code></Step>;
}

function ToolCall({ item, open }: { item: Extract<Item, { type: "toolCall" }>; open: boolean }) {
  const t = useWords(strings);
  return (
    <Step item={item} verb={item.status === "inProgress" ? t("using") : t("used")} object={<code>{item.tool}</code>} open={open}>
      <Labelled label={t("input")}>{pretty(item.arguments)}</Labelled>
      {item.output !== "" && <Labelled label={t("result")} testId="tool-output">{plain(item.output)}</Labelled>}
    </Step>
  );
}

function Labelled({ label, testId, children }: { label: string; testId?: string; children: ReactNode }) {
  return (
    <div>
      <div className={css.label}>{label}</div>
      <pre className={css.text} data-testid={testId} tabIndex={0}>{children}</pre>
    </div>
  );
}

/** JSON with line breaks; what is not JSON as it came. */
function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

async function sendAgain(threadId: ThreadId, prompt: Extract<Item, { type: "userMessage" }>): Promise<void> {
  const input = { text: prompt.text, attachments: prompt.attachments.map((it) => it.path) };
  await host.ask("turn/start", { threadId, input }).catch(tellFailure);
}

const ABOUT_PROVIDER: Failure["code"][] = ["noProvider", "unauthorized", "unreachable", "notAProvider", "noSuchModel", "quotaExceeded", "secretsUnavailable"];

/** Why a turn failed, and what can be done about it. */
export function TurnFailure({ failure, threadId, turnId }: { failure: Failure; threadId: ThreadId; turnId: TurnId }) {
  const t = useWords(strings);
  const prompt = useStore((it) => it.threads[threadId]?.turns.find((turn) => turn.id === turnId)?.items.find((item) => item.type === "userMessage"));
  return (
    <FailureCard
      failure={failure}
      actions={
        <>
          {prompt?.type === "userMessage" && <Button small onClick={() => void sendAgain(threadId, prompt)}>{t("sendAgain")}</Button>}
          {ABOUT_PROVIDER.includes(failure.code) && <Button small onClick={() => showOverlay({ type: "settings", page: "providers" })}>{t("openSettings")}</Button>}
        </>
      }
    />
  );
}
