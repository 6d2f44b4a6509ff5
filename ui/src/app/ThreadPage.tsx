// One thread, or the beginning of a new one: header, transcript, composer.
import { PanelLeft, PanelRight } from "lucide-react";

import { Button, IconButton } from "../components/Button";
import { Empty } from "../components/Field";
import { FailureCard } from "../components/FailureCard";
import { strings as shared } from "../components/strings";
import { Composer } from "../features/composer/Composer";
import { NewThread } from "../features/welcome/NewThread";
import { Transcript } from "../features/transcript/Transcript";
import { host } from "../host";
import { useWords } from "../i18n";
import { closePane, currentFolder, currentThread, readThread, showPane, tellFailure, toggleSidebar, useStore } from "../state/store";
import css from "./ThreadPage.module.css";
import { strings } from "./strings";

export function ThreadPage() {
  const place = useStore((it) => it.place);
  if (place.view === "thread") return <Opened key={place.threadId} threadId={place.threadId} />;
  if (place.view === "new") return <Fresh key={place.cwd} cwd={place.cwd} />;
  return null;
}

function Opened({ threadId }: { threadId: string }) {
  const known = useStore((it) => it.threads[threadId] !== undefined);
  const failure = useStore((it) => it.threadFailures[threadId]);
  const t = useWords(shared);
  const own = useWords(strings);
  return (
    <>
      <Header />
      {known ? <Transcript threadId={threadId} /> : (
        <div className={css.middle}>
          {failure === undefined ? <Empty title={own("opening")} /> : (
            <FailureCard failure={failure} actions={<Button small onClick={() => void readThread(threadId)}>{t("retry")}</Button>} />
          )}
        </div>
      )}
      {known && <Composer threadId={threadId} />}
    </>
  );
}

function Fresh({ cwd }: { cwd: string }) {
  return (
    <>
      <Header />
      <NewThread cwd={cwd} />
      <Composer cwd={cwd} />
    </>
  );
}

/** The last part of a path. */
export function folderName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}

function Header() {
  const sidebar = useStore((it) => it.sidebar);
  const pane = useStore((it) => it.pane.open);
  const folder = useStore(currentFolder);
  const title = useStore((it) => (it.place.view === "thread" ? (currentThread(it)?.summary.title ?? "") : ""));
  const t = useWords(strings);
  const shown = title === "" ? t("newThread") : title;
  return (
    <header className={css.header}>
      {!sidebar && <IconButton label={t("showSidebar")} icon={<PanelLeft />} onClick={toggleSidebar} />}
      <div className={css.where}>
        {folder !== undefined && (
          <>
            <button
              type="button" className={css.folder} title={folder} aria-label={t("openFolder", { folder })}
              onClick={() => void host.shell("host/openFolder", { cwd: folder }).catch(tellFailure)}
            >
              {folderName(folder)}
            </button>
            <span aria-hidden className={css.slash}>/</span>
          </>
        )}
        <h1 className={css.title} title={shown}>{shown}</h1>
      </div>
      <IconButton label={pane ? t("hidePane") : t("showPane")} icon={<PanelRight />} aria-pressed={pane} onClick={() => (pane ? closePane() : showPane({}))} />
    </header>
  );
}
