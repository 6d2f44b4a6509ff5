// The standing answers: their list, the form for one, and the box that tells what a command would meet.
import { Ban, Check, FolderPen, Pencil, Plus, ShieldQuestion, Terminal, Trash2 } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Empty, Field, TextInput } from "../../components/Field";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useMinute } from "../../hooks/useMinute";
import { asFailure, host } from "../../host";
import { useTongue, useWords } from "../../i18n";
import type { Failure, Rule, RuleDraft, RuleId, Verdict } from "../../protocol";
import { currentFolder, tell, tellFailure, useStore } from "../../state/store";
import { useAnswer } from "../artifacts/useAnswer";
import { Section } from "./parts";
import { RuleEditor } from "./RuleEditor";
import { fromDraft, join, NEW_RULE, type RuleForm } from "./ruleForm";
import css from "./Rules.module.css";
import { strings } from "./strings";

export function Rules() {
  const t = useWords(strings);
  const rules = useAnswer(() => host.ask("rule/list", {}), "");
  const [editing, setEditing] = useState<{ id: RuleId | undefined; form: RuleForm }>();
  const [marked, setMarked] = useState<RuleId>();

  const save = async (id: RuleId | undefined, rule: RuleDraft) => {
    await host.ask("rule/save", { id, draft: rule });
    setEditing(undefined);
    rules.again();
    tell(t("ruleSaved"));
  };
  const remove = async (rule: Rule) => {
    try {
      await host.ask("rule/delete", { id: rule.id });
      rules.again();
      const { subject, effect, folder, expiresMs } = rule;
      tell(t("ruleDeleted"), { action: { label: t("undo"), run: () => void save(undefined, { subject, effect, folder, expiresMs }).catch(tellFailure) } });
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  return (
    <>
      <Section
        id="rules"
        title={t("ruleList")}
        intro={t("rulesIntro")}
        action={editing === undefined && <Button small icon={<Plus />} data-testid="rule-add" onClick={() => setEditing({ id: undefined, form: NEW_RULE })}>{t("addRule")}</Button>}
      >
        {editing !== undefined && (
          <RuleEditor key={editing.id ?? "new"} title={t(editing.id === undefined ? "newRule" : "editRule")} initial={editing.form} onSave={(rule) => save(editing.id, rule)} onCancel={() => setEditing(undefined)} />
        )}
        {rules.state === "failed" && <FailureCard failure={rules.failure} actions={<Button small onClick={rules.again}>{t("tryAgain")}</Button>} />}
        {rules.state === "done" && rules.value.length === 0 && editing === undefined && (
          <Empty icon={<ShieldQuestion aria-hidden />} title={t("rulesEmpty")}><p>{t("rulesEmptyHint")}</p></Empty>
        )}
        {rules.state === "done" && rules.value.length > 0 && (
          <ul className={css.list}>
            {rules.value.map((rule) => (
              <RuleLine
                key={rule.id}
                rule={rule}
                marked={rule.id === marked}
                onEdit={() => setEditing({ id: rule.id, form: fromDraft(rule) })}
                onDelete={() => void remove(rule)}
              />
            ))}
          </ul>
        )}
      </Section>
      <WouldAsk onShow={setMarked} />
    </>
  );
}

function RuleLine({ rule, marked, onEdit, onDelete }: { rule: Rule; marked: boolean; onEdit: () => void; onDelete: () => void }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const now = useMinute();
  const day = (ms: number) => new Date(ms).toLocaleDateString(tongue, { dateStyle: "medium" });
  const moment = (ms: number) => new Date(ms).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" });
  const byPerson = rule.origin === "person";
  const over = rule.expiresMs !== undefined && rule.expiresMs <= now;
  const Subject = rule.subject.type === "write" ? FolderPen : Terminal;
  const facts = [
    rule.folder === undefined ? t("ruleEverywhere") : t("ruleIn", { folder: rule.folder }),
    rule.subject.type === "commandPrefix" && rule.subject.escalated ? t("ruleUnsandboxed") : "",
    rule.expiresMs === undefined ? "" : t(over ? "ruleExpired" : "ruleExpires", { date: moment(rule.expiresMs) }),
    byPerson ? t("ruleMade", { date: day(rule.createdMs) }) : t("ruleByFile", { path: rule.origin }),
    rule.matched === 0 ? t("ruleUnused") : t("ruleMatched", { count: rule.matched }),
  ].filter((it) => it !== "");
  return (
    <li
      className={`${css.rule} ${over ? css.over : ""} ${marked ? css.marked : ""}`}
      data-testid="rule-row"
      ref={(element) => { if (marked) element?.scrollIntoView({ block: "nearest" }); }}
    >
      <span className={`${css.effect} ${css[rule.effect]}`}>
        {rule.effect === "allow" ? <Check aria-hidden /> : <Ban aria-hidden />}
        {t(rule.effect === "allow" ? "ruleAllow" : "ruleDeny")}
      </span>
      <div className={css.about}>
        <p className={css.subject}>
          <Subject aria-hidden />
          <code>{rule.subject.type === "write" ? rule.subject.folder : join(rule.subject.prefix)}</code>
        </p>
        <p className={css.facts}>{facts.join(" · ")}</p>
      </div>
      {byPerson ? (
        <>
          <IconButton small label={t("edit")} icon={<Pencil />} onClick={onEdit} />
          <IconButton small tone="danger" label={t("remove")} icon={<Trash2 />} onClick={onDelete} />
        </>
      ) : (
        <span className={css.quiet}>{t("ruleFileReadOnly")}</span>
      )}
    </li>
  );
}

function WouldAsk({ onShow }: { onShow: (rule: RuleId) => void }) {
  const t = useWords(strings);
  const here = useStore((it) => currentFolder(it) ?? it.settings?.recentFolders[0] ?? "");
  const [command, setCommand] = useState("");
  const [cwd, setCwd] = useState(here);
  const [escalated, setEscalated] = useState(false);
  const [answer, setAnswer] = useState<{ verdict: Verdict } | { failure: Failure }>();
  const check = () => {
    if (command.trim() === "") return;
    host.ask("rule/test", { command, cwd, escalated }).then(
      (verdict) => setAnswer({ verdict }),
      (thrown: unknown) => setAnswer({ failure: asFailure(thrown) }),
    );
  };
  const keys = useEnterSubmit<HTMLInputElement>(check);
  return (
    <Section id="test" title={t("wouldAsk")} intro={t("wouldAskHint")}>
      <div className={css.form}>
        <Field label={t("command")}>
          {(ids) => <TextInput {...ids} {...keys} className={css.mono} data-testid="rule-test-command" placeholder="npm run build" value={command} onChange={(event) => { setCommand(event.target.value); setAnswer(undefined); }} />}
        </Field>
        <Field label={t("folder")}>
          {(ids) => <TextInput {...ids} {...keys} className={css.mono} value={cwd} onChange={(event) => { setCwd(event.target.value); setAnswer(undefined); }} />}
        </Field>
        <div className={css.bottom}>
          <label className={css.check}>
            <input type="checkbox" checked={escalated} onChange={(event) => { setEscalated(event.target.checked); setAnswer(undefined); }} />
            {t("withoutSandbox")}
          </label>
          <Button data-testid="rule-test" disabled={command.trim() === ""} onClick={check}>{t("check")}</Button>
        </div>
        <div aria-live="polite" data-testid="rule-verdict">
          {answer !== undefined && ("failure" in answer ? <FailureCard failure={answer.failure} /> : <VerdictText verdict={answer.verdict} onShow={onShow} />)}
        </div>
      </div>
    </Section>
  );
}

function VerdictText({ verdict, onShow }: { verdict: Verdict; onShow: (rule: RuleId) => void }) {
  const t = useWords(strings);
  if (verdict.type === "asks") return <p className={css.verdict}><ShieldQuestion aria-hidden />{t("verdictAsks")}</p>;
  const { ruleId } = verdict;
  const allowed = verdict.type === "allowed";
  const word = allowed ? (ruleId === undefined ? "verdictAllowed" : "verdictAllowedRule") : ruleId === undefined ? "verdictDenied" : "verdictDeniedRule";
  return (
    <p className={`${css.verdict} ${allowed ? css.allow : css.deny}`}>
      {allowed ? <Check aria-hidden /> : <Ban aria-hidden />}
      {t(word)}
      {ruleId !== undefined && <Button small tone="quiet" onClick={() => onShow(ruleId)}>{t("showRule")}</Button>}
    </p>
  );
}
