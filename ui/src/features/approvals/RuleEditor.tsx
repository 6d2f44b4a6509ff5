// The rule that "always" makes, to be narrowed or widened before it is saved.
import { useState } from "react";

import { Button } from "../../components/Button";
import { Field, NativeSelect, TextInput } from "../../components/Field";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import type { RuleDraft } from "../../protocol";
import css from "./ApprovalCard.module.css";
import { strings } from "./strings";
import { joinWords, splitWords } from "./words";

const DAY = 86_400_000;
const EXPIRIES = { never: undefined, day: DAY, week: 7 * DAY, month: 30 * DAY } as const;
type Expiry = keyof typeof EXPIRIES;

export function RuleEditor({ draft, onSave, onCancel, busy }: { draft: RuleDraft; onSave: (rule: RuleDraft) => void; onCancel: () => void; busy: boolean }) {
  const { subject } = draft;
  const [prefix, setPrefix] = useState(subject.type === "commandPrefix" ? joinWords(subject.prefix) : "");
  const [folder, setFolder] = useState(subject.type === "write" ? subject.folder : "");
  const [escalated, setEscalated] = useState(subject.type === "commandPrefix" && subject.escalated);
  const [everywhere, setEverywhere] = useState(draft.folder === undefined);
  const [expiry, setExpiry] = useState<Expiry>("never");
  const t = useWords(strings);
  const list = splitWords(prefix);
  const valid = subject.type === "write" ? folder.trim() !== "" : list.length > 0;

  const save = () => {
    if (!valid) return;
    const lasts = EXPIRIES[expiry];
    onSave({
      effect: draft.effect,
      subject: subject.type === "write" ? { type: "write", folder: folder.trim() } : { type: "commandPrefix", prefix: list, escalated },
      folder: everywhere ? undefined : draft.folder,
      expiresMs: lasts === undefined ? undefined : Date.now() + lasts,
    });
  };
  const enter = useEnterSubmit<HTMLInputElement>(save);

  return (
    <div className={css.rule} role="group" aria-label={t("rule")}>
      {subject.type === "commandPrefix" ? (
        <Field label={t("prefix")} hint={t("prefixHint")} error={valid ? undefined : t("prefixEmpty")}>
          {(ids) => <TextInput {...ids} {...enter} className={css.mono} value={prefix} onChange={(event) => setPrefix(event.target.value)} />}
        </Field>
      ) : (
        <Field label={t("writeFolder")}>
          {(ids) => <TextInput {...ids} {...enter} className={css.mono} value={folder} onChange={(event) => setFolder(event.target.value)} />}
        </Field>
      )}
      {subject.type === "commandPrefix" && list.length === 1 && <p className={css.broad}>{t("broad")}</p>}
      <div className={css.ruleRow}>
        <Field label={t("folder")} hint={everywhere ? undefined : draft.folder}>
          {(ids) => (
            <NativeSelect {...ids} value={everywhere ? "everywhere" : "here"} onChange={(event) => setEverywhere(event.target.value === "everywhere")}>
              {draft.folder !== undefined && <option value="here">{t("onlyHere")}</option>}
              <option value="everywhere">{t("everywhere")}</option>
            </NativeSelect>
          )}
        </Field>
        <Field label={t("expiry")}>
          {(ids) => (
            <NativeSelect {...ids} value={expiry} onChange={(event) => setExpiry(event.target.value as Expiry)}>
              {(Object.keys(EXPIRIES) as Expiry[]).map((it) => <option key={it} value={it}>{t(it)}</option>)}
            </NativeSelect>
          )}
        </Field>
      </div>
      {subject.type === "commandPrefix" && subject.escalated && (
        <label className={css.check}><input type="checkbox" checked={escalated} onChange={(event) => setEscalated(event.target.checked)} />{t("escalated")}</label>
      )}
      <div className={css.buttons}>
        <Button tone="accent" disabled={!valid || busy} data-testid="approval-always-confirm" onClick={save}>{t("confirm")}</Button>
        <Button tone="quiet" onClick={onCancel}>{t("cancel")}</Button>
      </div>
    </div>
  );
}
