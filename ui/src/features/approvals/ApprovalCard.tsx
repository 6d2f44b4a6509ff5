// A question of the agent: what exactly, where, why, what it can do. The person answers; nothing here takes the focus by itself.
import { CircleHelp, TriangleAlert } from "lucide-react";
import { useId, useState, type KeyboardEvent } from "react";

import { Button } from "../../components/Button";
import { TextInput } from "../../components/Field";
import { host } from "../../host";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import type { Approval, Decision, Risk, ThreadId } from "../../protocol";
import { tellFailure, useStore } from "../../state/store";
import { Diff } from "../items/Diff";
import css from "./ApprovalCard.module.css";
import { RuleEditor } from "./RuleEditor";
import { strings } from "./strings";

type Mode = "buttons" | "rule" | "note";

export function ApprovalCard({ approval, threadId }: { approval: Approval; threadId: ThreadId }) {
  const cwd = useStore((it) => it.threads[threadId]?.summary.cwd);
  const [mode, setMode] = useState<Mode>("buttons");
  const [sent, setSent] = useState(false);
  const title = useId();
  const t = useWords(strings);

  const decide = (decision: Decision) => {
    setSent(true);
    host.ask("approval/decide", { threadId, approvalId: approval.id, decision }).catch((thrown: unknown) => {
      setSent(false);
      tellFailure(thrown);
    });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
    if (field || sent || mode !== "buttons" || event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key.toLowerCase()) {
      case "a": decide({ type: "once" }); break;
      case "t": decide({ type: "thread" }); break;
      case "r": if (approval.proposedRule !== undefined) setMode("rule"); break;
      case "d": decide({ type: "decline", interrupt: false }); break;
      default: return;
    }
    event.preventDefault();
  };

  const { ask } = approval;
  return (
    // It can be focused by click and by Tab, so that its keys are never near where one types.
    <section className={css.card} data-testid="approval-card" aria-labelledby={title} tabIndex={0} onKeyDown={onKeyDown}>
      <h3 id={title} className={css.title}><CircleHelp aria-hidden />{t(ask.type === "command" ? "asksCommand" : "asksPatch")}</h3>
      {ask.type === "command" ? (
        <>
          <pre className={css.command} tabIndex={0}><code>{ask.command}</code></pre>
          <dl className={css.facts}><dt>{t("where")}</dt><dd><code>{ask.cwd}</code></dd></dl>
        </>
      ) : ask.changes.map((change) => <Diff key={change.path} change={change} cwd={cwd} />)}
      {approval.reason !== undefined && approval.reason !== "" && <dl className={css.facts}><dt>{t("why")}</dt><dd className={css.reason}>{approval.reason}</dd></dl>}
      {approval.risks.length > 0 && <Risks risks={approval.risks} />}
      {mode === "buttons" && (
        <div className={css.buttons}>
          <Button tone="accent" disabled={sent} shortcut="A" data-testid="approval-accept" onClick={() => decide({ type: "once" })}>{t("once")}</Button>
          <Button disabled={sent} shortcut="T" data-testid="approval-thread" onClick={() => decide({ type: "thread" })}>{t("thread")}</Button>
          {approval.proposedRule !== undefined && <Button disabled={sent} shortcut="R" data-testid="approval-always" onClick={() => setMode("rule")}>{t("always")}</Button>}
          <span className={css.gap} />
          <Button disabled={sent} shortcut="D" data-testid="approval-decline" onClick={() => decide({ type: "decline", interrupt: false })}>{t("decline")}</Button>
          <Button tone="quiet" disabled={sent} data-testid="approval-decline-why" onClick={() => setMode("note")}>{t("declineWhy")}</Button>
        </div>
      )}
      {mode === "rule" && approval.proposedRule !== undefined && (
        <RuleEditor draft={approval.proposedRule} onCancel={() => setMode("buttons")} onSave={(rule) => decide({ type: "always", rule })} busy={sent} />
      )}
      {mode === "note" && <Note onCancel={() => setMode("buttons")} busy={sent} onSend={(note, interrupt) => decide({ type: "decline", note, interrupt })} />}
      <p className="unseen">{t("keys")}</p>
    </section>
  );
}

function Risks({ risks }: { risks: Risk[] }) {
  const t = useWords(strings);
  return (
    <ul className={css.risks} aria-label={t("risks")}>
      {risks.map((risk) => <li key={risk}><TriangleAlert aria-hidden />{t(risk)}</li>)}
    </ul>
  );
}

function Note({ onCancel, onSend, busy }: { onCancel: () => void; onSend: (note: string | undefined, interrupt: boolean) => void; busy: boolean }) {
  const [note, setNote] = useState("");
  const [stop, setStop] = useState(false);
  const t = useWords(strings);
  const send = () => onSend(note.trim() === "" ? undefined : note.trim(), stop);
  const enter = useEnterSubmit<HTMLInputElement>(send);
  return (
    <div className={css.note}>
      <TextInput autoFocus aria-label={t("note")} placeholder={t("note")} value={note} onChange={(event) => setNote(event.target.value)} {...enter} />
      <label className={css.check}><input type="checkbox" checked={stop} onChange={(event) => setStop(event.target.checked)} />{t("alsoStop")}</label>
      <div className={css.buttons}>
        <Button disabled={busy} onClick={send}>{t("send")}</Button>
        <Button tone="quiet" onClick={onCancel}>{t("cancel")}</Button>
      </div>
    </div>
  );
}
