// The form for one rule.
import { useState, type FormEvent } from "react";

import { Button } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Field, NativeSelect, TextInput } from "../../components/Field";
import { asFailure } from "../../host";
import { useTongue, useWords } from "../../i18n";
import type { Failure, RuleDraft, RuleEffect } from "../../protocol";
import { toDraft, type Lasting, type RuleForm, type RuleProblem } from "./ruleForm";
import css from "./Rules.module.css";
import { strings } from "./strings";

export function RuleEditor({ title, initial, onSave, onCancel }: {
  title: string;
  initial: RuleForm;
  onSave: (rule: RuleDraft) => Promise<void>;
  onCancel: () => void;
}) {
  const t = useWords(strings);
  const tongue = useTongue();
  const [form, setForm] = useState(initial);
  const [problem, setProblem] = useState<RuleProblem>();
  const [failure, setFailure] = useState<Failure>();
  const change = (part: Partial<RuleForm>) => {
    setForm((it) => ({ ...it, ...part }));
    setProblem(undefined);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const made = toDraft(form, Date.now());
    if ("problem" in made) {
      setProblem(made.problem);
      return;
    }
    onSave(made).catch((thrown: unknown) => setFailure(asFailure(thrown)));
  };
  const about = problem === "targetMissing" || (problem === "folderRelative" && form.subject === "write");
  const aboutPrefix = problem === "prefixMissing" || problem === "quoteOpen" || problem === "prefixSyntax";
  const text = problem === undefined ? undefined : t(problem);
  return (
    <form className={css.form} onSubmit={submit} aria-label={title} data-testid="rule-form">
      <div className={css.pair}>
        <Field label={t("ruleEffect")}>
          {(ids) => (
            <NativeSelect {...ids} value={form.effect} onChange={(event) => change({ effect: event.target.value as RuleEffect })}>
              <option value="allow">{t("ruleAllow")}</option>
              <option value="deny">{t("ruleDeny")}</option>
            </NativeSelect>
          )}
        </Field>
        <Field label={t("ruleSubject")}>
          {(ids) => (
            <NativeSelect {...ids} value={form.subject} onChange={(event) => change({ subject: event.target.value as RuleForm["subject"] })}>
              <option value="commandPrefix">{t("ruleCommand")}</option>
              <option value="write">{t("ruleWrite")}</option>
            </NativeSelect>
          )}
        </Field>
      </div>
      {form.subject === "commandPrefix" ? (
        <>
          <Field label={t("rulePrefix")} hint={t("rulePrefixHint")} error={aboutPrefix ? text : undefined}>
            {(ids) => <TextInput {...ids} className={css.mono} data-testid="rule-prefix" placeholder="npm run" value={form.prefix} onChange={(event) => change({ prefix: event.target.value })} />}
          </Field>
          <label className={css.check}>
            <input type="checkbox" checked={form.escalated} onChange={(event) => change({ escalated: event.target.checked })} />
            {t("ruleEscalated")}
          </label>
        </>
      ) : (
        <Field label={t("ruleTarget")} error={about ? text : undefined}>
          {(ids) => <TextInput {...ids} className={css.mono} value={form.target} onChange={(event) => change({ target: event.target.value })} />}
        </Field>
      )}
      <div className={css.pair}>
        <Field label={t("ruleFolder")} error={problem === "folderRelative" && !about ? text : undefined}>
          {(ids) => <TextInput {...ids} className={css.mono} placeholder={t("ruleEverywhere")} value={form.folder} onChange={(event) => change({ folder: event.target.value })} />}
        </Field>
        <Field label={t("ruleLasting")}>
          {(ids) => (
            <NativeSelect {...ids} value={form.lasting} onChange={(event) => change({ lasting: event.target.value as Lasting })}>
              {form.expiresMs !== undefined && <option value="kept">{t("lastKept", { date: new Date(form.expiresMs).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" }) })}</option>}
              <option value="forever">{t("lastForever")}</option>
              <option value="hour">{t("lastHour")}</option>
              <option value="day">{t("lastDay")}</option>
              <option value="week">{t("lastWeek")}</option>
            </NativeSelect>
          )}
        </Field>
      </div>
      {failure !== undefined && <FailureCard failure={failure} />}
      <div className={css.actions}>
        <Button tone="quiet" onClick={onCancel}>{t("cancel")}</Button>
        <Button type="submit" tone="accent" data-testid="rule-save">{t("save")}</Button>
      </div>
    </form>
  );
}
