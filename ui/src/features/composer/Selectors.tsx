// What the next turn runs with: model, effort, sandbox, approvals.
import { ChevronDown, Gauge, Hand, Shield, ShieldOff } from "lucide-react";
import { useState, type ReactNode, type Ref } from "react";

import { Menu, MenuChoices, type Choice } from "../../components/Menu";
import { Empty } from "../../components/Field";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { ApprovalPolicy, Effort, ProviderModels, SandboxMode, ThreadSettings, ThreadSettingsPatch } from "../../protocol";
import css from "./Selectors.module.css";
import { strings } from "./strings";

export function Selectors({ settings, onChange, modelRef }: {
  settings: Partial<ThreadSettings>;
  onChange: (patch: ThreadSettingsPatch) => void;
  /** Clicked by `/model`. */
  modelRef: Ref<HTMLButtonElement>;
}) {
  const t = useWords(strings);
  const efforts: Choice<Effort>[] = (["minimal", "low", "medium", "high", "xhigh"] as const).map((value) => ({ value, label: t(value) }));
  const sandboxes: Choice<SandboxMode>[] = [
    { value: "read-only", label: t("readOnly"), note: t("readOnlyNote") },
    { value: "workspace-write", label: t("workspaceWrite"), note: t("workspaceWriteNote") },
    { value: "danger-full-access", label: t("fullAccess"), note: t("fullAccessNote") },
  ];
  const policies: Choice<ApprovalPolicy>[] = [
    { value: "untrusted", label: t("untrusted"), note: t("untrustedNote") },
    { value: "on-request", label: t("onRequest"), note: t("onRequestNote") },
    { value: "never", label: t("never"), note: t("neverNote") },
  ];
  const labelOf = <V extends string>(choices: Choice<V>[], value: V | undefined) => choices.find((it) => it.value === value)?.label;
  const full = settings.sandbox === "danger-full-access";
  return (
    <div className={css.selectors}>
      <ModelMenu settings={settings} onChange={onChange} modelRef={modelRef} />
      <Menu side="top" label={t("effort")} trigger={<Chip name={t("effort")} icon={<Gauge />} value={labelOf(efforts, settings.effort) ?? t("effortDefault")} />}>
        <MenuChoices title={t("effort")} value={settings.effort} choices={efforts} onChoose={(effort) => onChange({ effort })} />
      </Menu>
      <Menu side="top" label={t("sandbox")} trigger={<Chip name={t("sandbox")} icon={full ? <ShieldOff /> : <Shield />} warn={full} value={labelOf(sandboxes, settings.sandbox) ?? ""} />}>
        <MenuChoices title={t("sandbox")} value={settings.sandbox} choices={sandboxes} onChoose={(sandbox) => onChange({ sandbox })} />
      </Menu>
      <Menu side="top" label={t("approvals")} trigger={<Chip name={t("approvals")} icon={<Hand />} value={labelOf(policies, settings.approval) ?? ""} />}>
        <MenuChoices title={t("approvals")} value={settings.approval} choices={policies} onChoose={(approval) => onChange({ approval })} />
      </Menu>
    </div>
  );
}

function Chip({ name, value, icon, warn = false, ref, ...rest }: {
  name: string; value: string; icon?: ReactNode; warn?: boolean; ref?: Ref<HTMLButtonElement>;
} & React.ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button ref={ref} type="button" className={`${css.chip} ${icon ? css.shrinks : ""} ${warn ? css.warn : ""}`} {...rest} aria-label={`${name}: ${value}`} title={`${name}: ${value}`}>
      {icon}
      <span>{value}</span>
      <ChevronDown aria-hidden className={css.down} />
    </button>
  );
}

/** Provider and model in one value of a radio group. */
const JOIN = "\n";

function ModelMenu({ settings, onChange, modelRef }: { settings: Partial<ThreadSettings>; onChange: (patch: ThreadSettingsPatch) => void; modelRef: Ref<HTMLButtonElement> }) {
  const [lists, setLists] = useState<ProviderModels[]>();
  const [failed, setFailed] = useState<string>();
  const t = useWords(strings);
  const read = () => host.ask("provider/models", {}).then(setLists, (thrown: unknown) => setFailed(asFailure(thrown).message));
  const value = settings.provider === undefined || settings.model === undefined ? undefined : settings.provider + JOIN + settings.model;
  return (
    <Menu side="top" label={t("model")} trigger={<Chip ref={modelRef} name={t("model")} value={settings.model === undefined || settings.model === "" ? t("noModel") : settings.model} onClick={() => void read()} />}>
      {failed !== undefined && <Empty title={failed} />}
      {failed === undefined && lists === undefined && <Empty title={t("modelsLoading")} />}
      {lists?.map(({ provider, models, failure }) => (
        <div key={provider.id}>
          <MenuChoices
            title={provider.name} value={value}
            choices={models.map((model) => ({ value: provider.id + JOIN + model.id, label: model.id }))}
            onChoose={(chosen) => {
              const [id, model] = chosen.split(JOIN);
              onChange({ provider: id, model });
            }}
          />
          {failure !== undefined && <p className={css.failure}>{failure.message}</p>}
        </div>
      ))}
    </Menu>
  );
}
