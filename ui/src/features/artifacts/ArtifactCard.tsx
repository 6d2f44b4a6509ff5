// A file the agent made, as a card in the transcript: what it is, and the ways to get at it.
import { FolderOpen } from "lucide-react";
import { useState } from "react";

import { IconButton } from "../../components/Button";
import { host } from "../../host";
import { useTongue, useWords } from "../../i18n";
import type { Artifact, ThreadId } from "../../protocol";
import { preview, reveal } from "./actions";
import css from "./ArtifactCard.module.css";
import { ArtifactMenu } from "./ArtifactMenu";
import { KindIcon, kindWord } from "./KindIcon";
import { previewKind } from "./kind";
import { bytes } from "./size";
import { strings } from "./strings";
import { useAnswer } from "./useAnswer";

/** A picture larger than this is not worth reading for a thumbnail. */
const THUMBNAIL = 20_000_000;

export function ArtifactCard({ threadId, artifact }: { threadId: ThreadId; artifact: Artifact }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const kind = previewKind(artifact.name, artifact.mediaType);
  const reference = { threadId, artifactId: artifact.id, version: artifact.version };
  return (
    <div className={css.card} data-testid="artifact-card" role="group" aria-label={artifact.name}>
      <button type="button" className={css.main} title={artifact.path} onClick={() => preview(artifact)}>
        <span className={css.picture}>
          {kind === "image" && artifact.size < THUMBNAIL ? <Thumbnail threadId={threadId} artifact={artifact} /> : <KindIcon kind={kind} />}
        </span>
        <span className={css.words}>
          <span className={css.name}>{artifact.name}</span>
          <span className={css.facts}>
            {t(kindWord(kind))} · {bytes(artifact.size, tongue)}
            {artifact.version > 1 && ` · ${t("version", { version: artifact.version })}`}
          </span>
        </span>
        <span className={css.open}>{t("open")}</span>
      </button>
      <IconButton label={t("reveal")} icon={<FolderOpen />} onClick={() => reveal(reference)} />
      <ArtifactMenu artifact={artifact} reference={reference} />
    </div>
  );
}

function Thumbnail({ threadId, artifact }: { threadId: ThreadId; artifact: Artifact }) {
  const [broken, setBroken] = useState(false);
  const answer = useAnswer(
    () => host.shell("host/preview", { artifact: { threadId, artifactId: artifact.id, version: artifact.version } }),
    artifact.hash,
  );
  if (answer.state !== "done" || broken) return <KindIcon kind="image" />;
  return <img src={answer.value.url} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />;
}
