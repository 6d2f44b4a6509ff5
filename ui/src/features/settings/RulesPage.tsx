// When to ask, what commands may touch, and the standing answers.
import { FolderPlus, X } from "lucide-react";

import { Button, IconButton } from "../../components/Button";
import { host } from "../../host";
import { useWords } from "../../i18n";
import { tellFailure, useStore, writeSettings } from "../../state/store";
import { isOurs } from "./origin";
import { Choices, OriginNote, Section, Setting } from "./parts";
import { Rules } from "./Rules";
import css from "./Rules.module.css";
import { strings } from "./strings";

export function RulesPage() {
  const t = useWords(strings);
  const settings = useStore((it) => it.settings);
  if (settings === undefined) return null;
  const { approval, sandbox, networkAccess, writableRoots } = settings;

  const addRoot = async () => {
    try {
      const folder = await host.shell("host/pickFolder", {});
      if (folder !== null && !writableRoots.value.includes(folder)) await writeSettings({ writableRoots: [...writableRoots.value, folder] });
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  return (
    <>
      <Choices
        id="approval"
        title={t("approval")}
        hint={t("approvalHint")}
        origin={approval.origin}
        value={approval.value}
        choices={[
          { value: "untrusted", label: t("approvalUntrusted"), hint: t("approvalUntrustedHint") },
          { value: "on-request", label: t("approvalOnRequest"), hint: t("approvalOnRequestHint") },
          { value: "never", label: t("approvalNever"), hint: t("approvalNeverHint") },
        ]}
        onChoose={(value) => void writeSettings({ approval: value })}
      />
      <Choices
        id="sandbox"
        title={t("sandbox")}
        hint={t("sandboxHint")}
        origin={sandbox.origin}
        value={sandbox.value}
        choices={[
          { value: "read-only", label: t("sandboxReadOnly"), hint: t("sandboxReadOnlyHint") },
          { value: "workspace-write", label: t("sandboxWorkspace"), hint: t("sandboxWorkspaceHint") },
          { value: "danger-full-access", label: t("sandboxFull"), hint: t("sandboxFullHint") },
        ]}
        onChoose={(value) => void writeSettings({ sandbox: value })}
      />
      <Setting id="network" label={t("network")} hint={t("networkHint")} origin={networkAccess.origin}>
        {(control) => (
          <input {...control} type="checkbox" role="switch" className={css.switch} data-testid="network-switch" checked={networkAccess.value} onChange={(event) => void writeSettings({ networkAccess: event.target.checked })} />
        )}
      </Setting>
      <Section
        id="roots"
        title={t("roots")}
        intro={t("rootsHint")}
        action={<Button small icon={<FolderPlus />} disabled={!isOurs(writableRoots.origin)} onClick={() => void addRoot()}>{t("addFolder")}</Button>}
      >
        <OriginNote origin={writableRoots.origin} />
        {writableRoots.value.length === 0 ? <p className={css.quiet}>{t("rootsNone")}</p> : (
          <ul className={css.list}>
            {writableRoots.value.map((folder) => (
              <li key={folder} className={css.rule}>
                <code className={css.path}>{folder}</code>
                <IconButton
                  small
                  label={t("removeFolder", { folder })}
                  icon={<X />}
                  disabled={!isOurs(writableRoots.origin)}
                  onClick={() => void writeSettings({ writableRoots: writableRoots.value.filter((it) => it !== folder) })}
                />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Rules />
    </>
  );
}
