// The first screen: choose what it thinks with, then the folder it works in. Nothing else is asked.
import { Check, Cpu, KeyRound, Play, RefreshCw, Settings } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";

import { Button, IconButton } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { NativeSelect } from "../../components/Field";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { Failure, LocalServer } from "../../protocol";
import { newThread, showOverlay, takeSettings, useStore, writeSettings } from "../../state/store";
import { useAnswer } from "../artifacts/useAnswer";
import { BrokenBanner } from "../settings/BrokenBanner";
import { ProviderEditor } from "../settings/ProviderEditor";
import { draft, fromServer, NEW_PROVIDER } from "../settings/providerForm";
import { FolderChoice } from "./FolderChoice";
import { strings } from "./strings";
import css from "./Welcome.module.css";

export function Welcome() {
  const t = useWords(strings);
  const settings = useStore((it) => it.settings);
  const failure = useStore((it) => it.failure);
  const [changing, setChanging] = useState(false);
  const chosen = settings?.providers.find((it) => it.id === settings.provider.value);
  // Started on a folder, there is nothing left to ask once there is a model.
  const folder = useStore((it) => it.info?.folder);
  const covered = useStore((it) => it.overlay.type !== "none");
  const ready = chosen !== undefined && !changing && !covered;
  useEffect(() => {
    if (ready && folder !== undefined) newThread(folder);
  }, [ready, folder]);
  return (
    <div className={css.screen}>
      <div className={css.corner}>
        <IconButton label={t("settings")} icon={<Settings />} data-testid="settings-open" onClick={() => showOverlay({ type: "settings" })} />
      </div>
      <div className={css.middle}>
        <h1 className={css.title}>{t("welcome")}</h1>
        <p className={css.text}>{t("welcomeText")}</p>
        {failure !== undefined && <FailureCard failure={failure} />}
        <BrokenBanner />
        {settings !== undefined && (
          <>
            <Step number={1} title={t("stepModel")} done={chosen !== undefined && !changing}>
              {chosen !== undefined && !changing ? (
                <p className={css.chosen} data-testid="welcome-chosen">
                  <span className={css.chosenName}>
                    {chosen.name}
                    {settings.model.value !== null && !chosen.builtIn && <span className={css.quiet}> · {settings.model.value}</span>}
                    {chosen.builtIn && <span className={css.badge}>{t("demoMark")}</span>}
                  </span>
                  <Button small tone="quiet" onClick={() => setChanging(true)}>{t("change")}</Button>
                </p>
              ) : (
                <Choices onChosen={() => setChanging(false)} />
              )}
            </Step>
            <Step number={2} title={t("stepFolder")} done={false} waiting={chosen === undefined || changing}>
              {chosen === undefined || changing ? <p className={css.quiet}>{t("noProvider")}</p> : (
                <>
                  <FolderChoice onChoose={newThread} />
                  <p className={css.quiet}>{t("folderHint")}</p>
                </>
              )}
            </Step>
          </>
        )}
      </div>
    </div>
  );
}

function Step({ number, title, done, waiting = false, children }: { number: number; title: string; done: boolean; waiting?: boolean; children: ReactNode }) {
  const t = useWords(strings);
  return (
    <section className={`${css.step} ${waiting ? css.waiting : ""}`}>
      <h2 className={css.stepTitle}>
        <span className={`${css.number} ${done ? css.done : ""}`}>{done ? <Check role="img" aria-label={t("chosen")} /> : number}</span>
        {title}
      </h2>
      {children}
    </section>
  );
}

function Choices({ onChosen }: { onChosen: () => void }) {
  const t = useWords(strings);
  const [byKey, setByKey] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const found = useAnswer(() => host.ask("provider/discover", {}), "");
  const trying = async (work: () => Promise<unknown>) => {
    setFailure(undefined);
    try {
      await work();
      onChosen();
    } catch (thrown) {
      setFailure(asFailure(thrown));
    }
  };
  const takeServer = (server: LocalServer, model: string) =>
    void trying(async () => takeSettings(await host.ask("provider/save", { draft: { ...draft(fromServer(server)), model } })));
  return (
    <div className={css.choices}>
      {failure !== undefined && <FailureCard failure={failure} />}
      <section className={css.choice}>
        <Cpu aria-hidden className={css.icon} />
        <div className={css.about}>
          <h3>{t("local")}</h3>
          <p className={css.quiet}>{t("localText")}</p>
          <div aria-live="polite" className={css.servers}>
            {found.state === "asking" && <p className={css.quiet}>{t("localLooking")}</p>}
            {found.state === "failed" && <p className={css.quiet}>{found.failure.message}</p>}
            {found.state === "done" && found.value.length === 0 && <p className={css.quiet}>{t("localNone")}</p>}
            {found.state === "done" && found.value.map((server) => <Server key={server.baseUrl} server={server} onUse={(model) => takeServer(server, model)} />)}
          </div>
        </div>
        {found.state !== "asking" && (found.state === "failed" || found.value.length === 0) && (
          <Button small icon={<RefreshCw />} onClick={found.again}>{t("lookAgain")}</Button>
        )}
      </section>
      <section className={css.choice}>
        <KeyRound aria-hidden className={css.icon} />
        <div className={css.about}>
          <h3>{t("key")}</h3>
          <p className={css.quiet}>{t("keyText")}</p>
        </div>
        {!byKey && <Button small data-testid="welcome-key" onClick={() => setByKey(true)}>{t("keyOpen")}</Button>}
        {byKey && <div className={css.form}><ProviderEditor initial={NEW_PROVIDER} provider={undefined} onSaved={onChosen} onCancel={() => setByKey(false)} /></div>}
      </section>
      <section className={css.choice}>
        <Play aria-hidden className={css.icon} />
        <div className={css.about}>
          <h3>{t("demo")}</h3>
          <p className={css.quiet}>{t("demoText")}</p>
        </div>
        <Button small data-testid="welcome-demo" onClick={() => void trying(() => writeSettings({ provider: "demo", model: "demo" }))}>{t("demoUse")}</Button>
      </section>
    </div>
  );
}

function Server({ server, onUse }: { server: LocalServer; onUse: (model: string) => void }) {
  const t = useWords(strings);
  const [model, setModel] = useState(server.models[0]?.id ?? "");
  return (
    <div className={css.server}>
      <span className={css.serverName}>
        {server.name}
        <span className={css.quiet}> · {t("localModels", { count: server.models.length })}</span>
      </span>
      {server.models.length > 1 && (
        <NativeSelect aria-label={t("localModel")} className={css.models} value={model} onChange={(event) => setModel(event.target.value)}>
          {server.models.map((it) => <option key={it.id} value={it.id}>{it.id}</option>)}
        </NativeSelect>
      )}
      {server.models.length === 1 && <span className={css.oneModel}>{model}</span>}
      <Button small tone="accent" data-testid="welcome-local" disabled={model === ""} onClick={() => onUse(model)}>{t("use")}</Button>
    </div>
  );
}
