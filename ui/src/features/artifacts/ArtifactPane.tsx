// The side pane's artifacts: their list, or one of them with its versions and its preview.
import { ArrowLeft, ChevronLeft, ChevronRight, ExternalLink, FolderOpen, Package, Save } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { host } from "../../host";
import { useTongue, useWords } from "../../i18n";
import type { Artifact, ArtifactEntry, ThreadId } from "../../protocol";
import { currentThread, showPane, useStore, type Store } from "../../state/store";
import { openWithProgram, preview, reveal, saveAs } from "./actions";
import { ArtifactMenu } from "./ArtifactMenu";
import css from "./ArtifactPane.module.css";
import { KindIcon, kindWord } from "./KindIcon";
import { previewKind } from "./kind";
import { Preview } from "./Preview";
import { bytes } from "./size";
import { strings } from "./strings";
import { useAnswer } from "./useAnswer";

/** Changes whenever the open thread has a new artifact or a new version of one. */
function artifactsSeen(it: Store): string {
  let count = 0;
  let last = "";
  for (const turn of currentThread(it)?.turns ?? []) {
    for (const item of turn.items) {
      if (item.type === "artifact") {
        count += 1;
        last = item.artifact.hash;
      }
    }
  }
  return `${String(count)} ${last}`;
}

export function ArtifactPane() {
  const threadId = useStore((it) => (it.place.view === "thread" ? it.place.threadId : undefined));
  return (
    <div className={css.pane} data-testid="artifact-pane">
      {threadId === undefined ? <Nothing /> : <OfThread key={threadId} threadId={threadId} />}
    </div>
  );
}

function Nothing() {
  const t = useWords(strings);
  return (
    <Empty icon={<Package aria-hidden />} title={t("empty")}>
      <p>{t("emptyHint")}</p>
    </Empty>
  );
}

function OfThread({ threadId }: { threadId: ThreadId }) {
  const t = useWords(strings);
  const seen = useStore(artifactsSeen);
  const artifactId = useStore((it) => it.pane.artifactId);
  const version = useStore((it) => it.pane.version);
  const list = useAnswer(() => host.ask("artifact/list", { threadId }), seen);
  const entries = useLast(list.state === "done" ? list.value : undefined);

  if (list.state === "failed") {
    return (
      <div className={css.message}>
        <FailureCard failure={list.failure} actions={<Button small onClick={list.again}>{t("tryAgain")}</Button>} />
      </div>
    );
  }
  if (entries === undefined) return <div aria-busy="true" className={css.message} />;
  const entry = entries.find((it) => it.artifact.id === artifactId);
  if (entry !== undefined) return <One threadId={threadId} entry={entry} version={version ?? entry.artifact.version} />;
  if (entries.length === 0) return <Nothing />;
  return <List entries={entries} />;
}

/** The last answer, kept while a newer one is on its way. */
function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}

function List({ entries }: { entries: ArtifactEntry[] }) {
  const t = useWords(strings);
  const tongue = useTongue();
  return (
    <ul className={css.list} aria-label={t("artifacts")}>
      {entries.map(({ artifact, versions }) => {
        const kind = previewKind(artifact.name, artifact.mediaType);
        const atMs = versions.at(-1)?.atMs;
        return (
          <li key={artifact.id}>
            <button type="button" className={css.row} title={artifact.path} onClick={() => preview(artifact)}>
              <KindIcon kind={kind} />
              <span className={css.rowName}>{artifact.name}</span>
              <span className={css.facts}>
                {t(kindWord(kind))} · {bytes(artifact.size, tongue)}
                {artifact.version > 1 && ` · ${t("version", { version: artifact.version })}`}
                {atMs !== undefined && ` · ${new Date(atMs).toLocaleString(tongue, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" })}`}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function One({ threadId, entry, version }: { threadId: ThreadId; entry: ArtifactEntry; version: number }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const shown = entry.versions.find((it) => it.version === version) ?? entry.versions.at(-1);
  const artifact: Artifact = shown === undefined ? entry.artifact : { ...entry.artifact, version: shown.version, size: shown.size, hash: shown.hash };
  const reference = { threadId, artifactId: artifact.id, version: artifact.version };
  const kind = previewKind(artifact.name, artifact.mediaType);
  return (
    <>
      <div className={css.bar}>
        <IconButton small label={t("backToList")} icon={<ArrowLeft />} onClick={() => showPane({ artifactId: undefined, version: undefined })} />
        <h2 className={css.name} title={artifact.path}>{artifact.name}</h2>
        <span className={css.tools}>
          <IconButton small label={t("openWith")} icon={<ExternalLink />} onClick={() => openWithProgram(reference)} />
          <IconButton small label={t("reveal")} icon={<FolderOpen />} onClick={() => reveal(reference)} />
          <IconButton small label={t("saveAs")} icon={<Save />} onClick={() => void saveAs(reference, artifact.name)} />
          <ArtifactMenu artifact={artifact} reference={reference} small />
        </span>
      </div>
      <div className={css.below}>
        <span className={css.facts}>{t(kindWord(kind))} · {bytes(artifact.size, tongue)}</span>
        {entry.versions.length > 1 && <Versions entry={entry} version={artifact.version} />}
      </div>
      <Preview key={`${artifact.id} ${String(artifact.version)}`} artifact={artifact} reference={reference} />
    </>
  );
}

function Versions({ entry, version }: { entry: ArtifactEntry; version: number }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const at = entry.versions.findIndex((it) => it.version === version);
  const go = (to: number) => {
    const next = entry.versions[to];
    if (next !== undefined) showPane({ artifactId: entry.artifact.id, version: next.version });
  };
  return (
    <span className={css.versions}>
      <IconButton small label={t("older")} icon={<ChevronLeft />} disabled={at <= 0} onClick={() => go(at - 1)} />
      <select
        className={css.select}
        aria-label={t("versionOf", { version, count: entry.versions.length })}
        value={version}
        onChange={(event) => showPane({ artifactId: entry.artifact.id, version: Number(event.target.value) })}
      >
        {entry.versions.map((it, n) => (
          <option key={it.version} value={it.version}>
            {t("version", { version: it.version })} · {new Date(it.atMs).toLocaleString(tongue, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" })}
            {n === entry.versions.length - 1 ? ` · ${t("latest")}` : ""}
          </option>
        ))}
      </select>
      <IconButton small label={t("newer")} icon={<ChevronRight />} disabled={at >= entry.versions.length - 1} onClick={() => go(at + 1)} />
    </span>
  );
}
