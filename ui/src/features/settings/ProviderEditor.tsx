// The form for one provider: address, key, wire, model, a test that says what is wrong, and saving.
import { CircleCheck, Eye, EyeOff } from "lucide-react";
import { useEffect, useId, useRef, useState, type FormEvent } from "react";

import { Button, IconButton } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Field, NativeSelect, TextInput } from "../../components/Field";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { Failure, Model, Provider, ProviderTest, WireApi } from "../../protocol";
import { takeSettings, tell } from "../../state/store";
import css from "./ProviderEditor.module.css";
import { draft, problems, sameConnection, type ProviderForm } from "./providerForm";
import { strings } from "./strings";

type Trial =
  | { state: "none" }
  | { state: "running" }
  | { state: "done"; of: ProviderForm; test: ProviderTest }
  | { state: "failed"; of: ProviderForm; failure: Failure };

export function ProviderEditor({ initial, provider, onSaved, onCancel }: {
  initial: ProviderForm;
  /** As it is configured; absent for a new one. */
  provider: Provider | undefined;
  onSaved: () => void;
  onCancel?: () => void;
}) {
  const t = useWords(strings);
  const listId = useId();
  const [form, setForm] = useState(initial);
  const [purpose, setPurpose] = useState<"test" | "save">();
  const [trial, setTrial] = useState<Trial>({ state: "none" });
  const [models, setModels] = useState<Model[]>([]);
  const [saving, setSaving] = useState(false);
  const [saveFailure, setSaveFailure] = useState<Failure>();
  const [shown, setShown] = useState(false);
  const address = useRef<HTMLInputElement>(null);
  // The form opens below a list: going to its first field also brings it into view.
  useEffect(() => address.current?.focus(), []);

  // The models of a provider that is configured are known without a test.
  const id = provider?.id;
  useEffect(() => {
    if (id === undefined) return;
    let current = true;
    host.ask("provider/models", { id }).then(
      (listed) => {
        if (current) setModels(listed[0]?.models ?? []);
      },
      // The list is a help for typing; the test says what is wrong.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [id]);

  const change = (part: Partial<ProviderForm>) => setForm((it) => ({ ...it, ...part }));
  const wrong = purpose === undefined ? {} : problems(form, purpose);
  const errorOf = (field: keyof ProviderForm) => (wrong[field] === undefined ? undefined : t(wrong[field]));

  const test = async (tested: ProviderForm) => {
    setPurpose("test");
    setSaveFailure(undefined);
    if (Object.keys(problems(tested, "test")).length > 0) return;
    setTrial({ state: "running" });
    try {
      const answer = await host.ask("provider/test", { draft: draft(tested) });
      setTrial({ state: "done", of: tested, test: answer });
      if (answer.models.length > 0) setModels(answer.models);
      // One model only: nothing to choose.
      const only = answer.models.length === 1 ? answer.models[0]?.id : undefined;
      if (only !== undefined) setForm((it) => (it.model.trim() === "" ? { ...it, model: only } : it));
    } catch (thrown) {
      setTrial({ state: "failed", of: tested, failure: asFailure(thrown) });
    }
  };

  const save = async () => {
    setPurpose("save");
    setSaveFailure(undefined);
    if (Object.keys(problems(form, "save")).length > 0) return;
    setSaving(true);
    try {
      const saved = draft(form);
      takeSettings(await host.ask("provider/save", { draft: saved }));
      tell(t("savedAndUsed", { name: saved.name }));
      onSaved();
    } catch (thrown) {
      setSaveFailure(asFailure(thrown));
    } finally {
      setSaving(false);
    }
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save();
  };

  const switchWire = (wireApi: WireApi) => {
    const next = { ...form, wireApi };
    setForm(next);
    void test(next);
  };

  return (
    <form className={css.form} onSubmit={submit} noValidate data-testid="provider-form">
      <Field label={t("baseUrl")} hint={t("baseUrlHint")} error={errorOf("baseUrl")}>
        {(ids) => (
          <TextInput {...ids} ref={address} type="url" inputMode="url" data-testid="provider-base-url" placeholder="https://api.example.com/v1" value={form.baseUrl} onChange={(event) => change({ baseUrl: event.target.value })} />
        )}
      </Field>
      <Field label={t("apiKey")} hint={<KeyHint provider={provider} />} error={errorOf("apiKey")}>
        {(ids) => (
          <span className={css.key}>
            <TextInput {...ids} type={shown ? "text" : "password"} autoComplete="off" data-testid="provider-api-key" value={form.apiKey} onChange={(event) => change({ apiKey: event.target.value })} />
            <IconButton small label={t(shown ? "hideKey" : "showKey")} icon={shown ? <EyeOff /> : <Eye />} aria-pressed={shown} onClick={() => setShown((it) => !it)} />
          </span>
        )}
      </Field>
      <div className={css.pair}>
        <Field label={t("wireApi")} hint={t("wireHint")}>
          {(ids) => (
            <NativeSelect {...ids} data-testid="provider-wire-api" value={form.wireApi} onChange={(event) => change({ wireApi: event.target.value as WireApi })}>
              <option value="responses">{t("wireResponses")}</option>
              <option value="chat">{t("wireChat")}</option>
            </NativeSelect>
          )}
        </Field>
        <Field label={t("model")} hint={t("modelHint")} error={errorOf("model")}>
          {(ids) => (
            <>
              <TextInput {...ids} list={listId} data-testid="provider-model" value={form.model} onChange={(event) => change({ model: event.target.value })} />
              <datalist id={listId}>
                {models.map((model) => <option key={model.id} value={model.id} />)}
              </datalist>
            </>
          )}
        </Field>
      </div>
      <Field label={t("name")}>
        {(ids) => <TextInput {...ids} data-testid="provider-name" placeholder={t("namePlaceholder")} value={form.name} onChange={(event) => change({ name: event.target.value })} />}
      </Field>
      <div className={css.actions}>
        <Button data-testid="provider-test" disabled={trial.state === "running"} onClick={() => void test(form)}>{t("test")}</Button>
        <span className={css.gap} />
        {onCancel !== undefined && <Button tone="quiet" onClick={onCancel}>{t("cancel")}</Button>}
        <Button type="submit" tone="accent" data-testid="provider-save" disabled={saving}>{t("save")}</Button>
      </div>
      <div className={css.outcome} aria-live="polite" data-testid="provider-outcome">
        {saveFailure !== undefined && <FailureCard failure={saveFailure} />}
        {trial.state === "running" && <p className={css.quiet}>{t("testing")}</p>}
        {trial.state === "failed" && <FailureCard failure={trial.failure} />}
        {trial.state === "done" && <Outcome test={trial.test} onWire={switchWire} />}
        {(trial.state === "done" || trial.state === "failed") && !sameConnection(trial.of, form) && <p className={css.quiet}>{t("testStale")}</p>}
        {trial.state === "done" && models.length > 1 && (
          <div className={css.models} role="group" aria-label={t("model")}>
            {models.slice(0, 12).map((model) => (
              <button key={model.id} type="button" className={css.model} aria-pressed={model.id === form.model} onClick={() => change({ model: model.id })}>{model.id}</button>
            ))}
          </div>
        )}
      </div>
    </form>
  );
}

function KeyHint({ provider }: { provider: Provider | undefined }) {
  const t = useWords(strings);
  if (provider?.key.type === "stored") return t("apiKeyKept", { store: provider.key.store });
  if (provider?.key.type === "environment") return t("apiKeyEnvironment", { variable: provider.key.variable });
  return t("apiKeyNew");
}

function Outcome({ test, onWire }: { test: ProviderTest; onWire: (wire: WireApi) => void }) {
  const t = useWords(strings);
  const { suggestedWireApi: suggested } = test;
  return (
    <>
      {test.ok && (
        <p className={css.good} data-testid="provider-ok">
          <CircleCheck aria-hidden />
          <span>
            {test.firstWordMs === undefined ? t("testOkPlain") : t("testOk", { ms: test.firstWordMs })}
            {test.models.length > 0 && ` ${t("testModels", { count: test.models.length })}`}
          </span>
        </p>
      )}
      {test.failure !== undefined && <FailureCard failure={test.failure} />}
      {suggested !== undefined && (
        <p className={css.suggestion}>
          {t(suggested === "chat" ? "suggestChat" : "suggestResponses")}
          <Button small data-testid="provider-switch-wire" onClick={() => onWire(suggested)}>{t("switchWire")}</Button>
        </p>
      )}
    </>
  );
}
