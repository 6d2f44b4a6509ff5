// What people and the model say: prompts, answers, thoughts.
import { File, Folder, Image, Pencil } from "lucide-react";
import { memo } from "react";

import { IconButton } from "../../components/Button";
import { useWords } from "../../i18n";
import { bytes } from "../../i18n/format";
import type { Attachment, Item, ThreadId, TurnId } from "../../protocol";
import { editPrompt } from "../composer/drafts";
import { CopyButton } from "../markdown/CodeBlock";
import { Markdown } from "../markdown/Markdown";
import css from "./Messages.module.css";
import { Step } from "./Step";
import { strings } from "./strings";

export const UserMessage = memo(function UserMessage({ item, threadId, turnId }: { item: Extract<Item, { type: "userMessage" }>; threadId: ThreadId; turnId: TurnId }) {
  const t = useWords(strings);
  return (
    <div className={css.user} data-testid="message-user">
      {item.attachments.length > 0 && (
        <ul className={css.attachments} aria-label={t("attached")}>
          {item.attachments.map((it) => <li key={it.path}><AttachmentLabel attachment={it} /></li>)}
        </ul>
      )}
      {item.text !== "" && <div className={css.bubble}>{item.text}</div>}
      <div className={css.under}>
        {item.steer && <span className={css.note}>{t("steered")}</span>}
        <CopyButton text={item.text} label={t("copyMessage")} />
        {!item.steer && <IconButton small label={t("editMessage")} icon={<Pencil />} onClick={() => editPrompt(threadId, turnId, item)} />}
      </div>
    </div>
  );
});

/** A file's kind, name and size. */
export function AttachmentLabel({ attachment }: { attachment: Attachment }) {
  const Icon = attachment.mediaType === "inode/directory" ? Folder : attachment.mediaType.startsWith("image/") ? Image : File;
  return (
    <span className={css.attachment} title={attachment.path}>
      <Icon aria-hidden />
      <span className={css.name}>{attachment.name}</span>
      {attachment.mediaType !== "inode/directory" && <span className={css.note}>{bytes(attachment.size)}</span>}
    </span>
  );
}

export function AgentMessage({ item }: { item: Extract<Item, { type: "agentMessage" }> }) {
  const t = useWords(strings);
  return (
    <div className={css.agent} data-testid="message-agent" data-status={item.status}>
      <Markdown text={item.text} />
      {item.status !== "inProgress" && <div className={css.under}><CopyButton text={item.text} label={t("copyMessage")} /></div>}
    </div>
  );
}

export function Reasoning({ item, open }: { item: Extract<Item, { type: "reasoning" }>; open: boolean }) {
  const t = useWords(strings);
  const running = item.status === "inProgress";
  return (
    <Step item={item} verb={running ? t("thinking") : t("thought")} object={<span className={css.gist}>{gist(item.text)}</span>} open={open} testId="reasoning">
      <div className={css.thought}><Markdown text={item.text} /></div>
    </Step>
  );
}

/** The newest heading of a train of thought, or its beginning. */
function gist(text: string): string {
  const headings = [...text.matchAll(/\*\*([^*\n]{1,120})\*\*/g)];
  return headings.at(-1)?.[1] ?? text.split("\n", 1)[0]?.slice(0, 160) ?? "";
}
