// The providers: those that are configured, servers found on this computer, and the form for one of them.
import { Pencil, Plus, RefreshCw, Trash2 } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { host } from "../../host";
import { useWords } from "../../i18n";
import type { LocalServer, Provider } from "../../protocol";
import { takeSettings, tell, tellFailure, useStore, writeSettings } from "../../state/store";
import { useAnswer } from "../artifacts/useAnswer";
import { Section } from "./parts";
import { ProviderEditor } from "./ProviderEditor";
import { draft, fromProvider, fromServer, NEW_PROVIDER, type ProviderForm } from "./providerForm";
import css from "./ProvidersPage.module.css";
import { strings } from "./strings";

export function ProvidersPage() {
  const t = useWords(strings);
  const settings = useStore((it) => it.settings);
  const [form, setForm] = useState<ProviderForm>();
  const [removing, setRemoving] = useState<Provider>();
  if (settings === undefined) return null;

  const remove = async (provider: Provider) => {
    setRemoving(undefined);
    try {
      takeSettings(await host.ask("provider/delete", { id: provider.id }));
      if (form?.id === provider.id) setForm(undefined);
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  return (
    <>
      <Section
        intro={t("providersIntro")}
        action={<Button small icon={<Plus />} disabled={form !== undefined && form.id === undefined} data-testid="provider-add" onClick={() => setForm(NEW_PROVIDER)}>{t("addProvider")}</Button>}
      >
        <ul className={css.list}>
          {settings.providers.map((provider) => (
            <li key={provider.id} className={css.provider} data-testid="provider-row">
              <div className={css.about}>
                <p className={css.name}>
                  {provider.name}
                  {provider.id === settings.provider.value && <span className={css.badge}>{t("inUse")}</span>}
                </p>
                <p className={css.facts}>
                  {provider.builtIn ? t("demoNote") : <>{provider.baseUrl} · {t(provider.wireApi === "chat" ? "wireChat" : "wireResponses")} · <KeyText provider={provider} /></>}
                </p>
                {provider.id === settings.provider.value && settings.model.value !== null && !provider.builtIn && <p className={css.facts}>{settings.model.value}</p>}
              </div>
              {provider.id !== settings.provider.value && (
                <Button small onClick={() => void use(provider).then((ok) => { if (!ok) setForm(fromProvider(provider, "")); })}>{t("useProvider")}</Button>
              )}
              {!provider.builtIn && (
                <>
                  <IconButton small label={t("editProvider", { name: provider.name })} icon={<Pencil />} onClick={() => setForm(fromProvider(provider, provider.id === settings.provider.value ? (settings.model.value ?? "") : ""))} />
                  <IconButton small tone="danger" label={t("deleteProvider", { name: provider.name })} icon={<Trash2 />} onClick={() => setRemoving(provider)} />
                </>
              )}
            </li>
          ))}
        </ul>
      </Section>
      {form !== undefined && (
        <Section title={form.id === undefined ? t("newProvider") : t("editProvider", { name: form.name })}>
          <ProviderEditor
            key={`${form.id ?? "new"} ${form.baseUrl}`}
            initial={form}
            provider={settings.providers.find((it) => it.id === form.id)}
            onSaved={() => setForm(undefined)}
            onCancel={() => setForm(undefined)}
          />
        </Section>
      )}
      <Found known={settings.providers} onForm={setForm} />
      <Dialog
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("deleteProvider", { name: removing?.name ?? "" })}
        size="small"
        actions={
          <>
            <Button onClick={() => setRemoving(undefined)}>{t("cancel")}</Button>
            <Button tone="danger" data-testid="provider-delete" onClick={() => { if (removing !== undefined) void remove(removing); }}>{t("remove")}</Button>
          </>
        }
      >
        <p>{t("deleteProviderText")}</p>
      </Dialog>
    </>
  );
}

function KeyText({ provider }: { provider: Provider }) {
  const t = useWords(strings);
  switch (provider.key.type) {
    case "stored":
      return t("keyStored", { store: provider.key.store });
    case "environment":
      return t("keyEnvironment", { variable: provider.key.variable });
    case "notNeeded":
      return t("keyNotNeeded");
    case "missing":
      return <span className={css.missing}>{t("keyMissing")}</span>;
  }
}

/** Makes a provider the one for new threads, with the first model it lists; false when it lists none. */
async function use(provider: Provider): Promise<boolean> {
  try {
    const [listed] = await host.ask("provider/models", { id: provider.id });
    const model = listed?.models[0]?.id;
    if (model === undefined) return false;
    await writeSettings({ provider: provider.id, model });
    return true;
  } catch (thrown) {
    tellFailure(thrown);
    return false;
  }
}

function Found({ known, onForm }: { known: Provider[]; onForm: (form: ProviderForm) => void }) {
  const t = useWords(strings);
  const found = useAnswer(() => host.ask("provider/discover", {}), "");
  const servers = found.state === "done" ? found.value.filter((server) => !known.some((it) => it.baseUrl === server.baseUrl)) : [];
  const add = async (server: LocalServer) => {
    const form = fromServer(server);
    // Without a model it could not be used: the form asks for one.
    if (form.model === "") {
      onForm(form);
      return;
    }
    try {
      takeSettings(await host.ask("provider/save", { draft: draft(form) }));
      tell(t("savedAndUsed", { name: server.name }));
    } catch (thrown) {
      tellFailure(thrown);
    }
  };
  return (
    <Section
      id="found"
      title={t("foundHere")}
      action={<Button small tone="quiet" icon={<RefreshCw />} disabled={found.state === "asking"} onClick={found.again}>{t("lookAgain")}</Button>}
    >
      <div aria-live="polite">
        {found.state === "asking" && <p className={css.quiet}>{t("looking")}</p>}
        {found.state === "failed" && <p className={css.quiet}>{found.failure.message}</p>}
        {found.state === "done" && servers.length === 0 && <p className={css.quiet}>{t(found.value.length === 0 ? "noneFound" : "allKnown")}</p>}
      </div>
      <ul className={css.list}>
        {servers.map((server) => (
          <li key={server.baseUrl} className={css.provider}>
            <div className={css.about}>
              <p className={css.name}>{server.name}</p>
              <p className={css.facts}>{server.baseUrl} · {server.models.map((it) => it.id).join(", ")}</p>
            </div>
            <Button small icon={<Plus />} data-testid="server-add" onClick={() => void add(server)}>{t("add")}</Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
