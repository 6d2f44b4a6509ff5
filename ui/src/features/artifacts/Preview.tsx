// One artifact as well as the window can show it. What is heavy is loaded when it is first needed.
import { FileQuestion } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Button } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { host } from "../../host";
import { useTongue, useWords } from "../../i18n";
import type { Artifact, ArtifactRef } from "../../protocol";
import { openWithProgram } from "./actions";
import { previewKind } from "./kind";
import css from "./Preview.module.css";
import { ImagePreview } from "./ImagePreview";
import { bytes } from "./size";
import { useAnswer } from "./useAnswer";
import { strings } from "./strings";

const CsvPreview = lazy(() => import("./CsvPreview").then((it) => ({ default: it.CsvPreview })));
const MarkdownPreview = lazy(() => import("./MarkdownPreview").then((it) => ({ default: it.MarkdownPreview })));
const TextPreview = lazy(() => import("./TextPreview").then((it) => ({ default: it.TextPreview })));
const PdfPreview = lazy(() => import("./PdfPreview").then((it) => ({ default: it.PdfPreview })));

/** What a preview reads of a text, in bytes. */
const TEXT = 4 * 1024 * 1024;
/** What a preview loads of a file that must be whole; the window hands out no more at once. */
const WHOLE = 64 * 1024 * 1024;

export interface PreviewProps {
  artifact: Artifact;
  reference: ArtifactRef;
}

export function Preview({ artifact, reference }: PreviewProps) {
  const t = useWords(strings);
  const tongue = useTongue();
  const kind = previewKind(artifact.name, artifact.mediaType);
  const needsWhole = kind === "image" || kind === "pdf" || kind === "html";
  if (kind === "unknown") return <Facts artifact={artifact} reference={reference} title={t("unknown")} hint={t("unknownHint")} />;
  if (needsWhole && artifact.size > WHOLE) {
    return <Facts artifact={artifact} reference={reference} title={t("tooLarge")} hint={t("tooLargeHint", { size: bytes(artifact.size, tongue) })} />;
  }
  return (
    <Suspense fallback={<Loading name={artifact.name} />}>
      {needsWhole ? <FromAddress artifact={artifact} reference={reference} /> : <FromText artifact={artifact} reference={reference} />}
    </Suspense>
  );
}

export function Loading({ name }: { name: string }) {
  const t = useWords(strings);
  return <p className={css.loading} role="status">{t("loading", { name })}</p>;
}

/** What is known about a file that cannot be shown. */
export function Facts({ artifact, reference, title, hint }: PreviewProps & { title: string; hint: string }) {
  const t = useWords(strings);
  const tongue = useTongue();
  return (
    <div className={css.message}>
      <Empty icon={<FileQuestion aria-hidden />} title={title}>
        <p>{hint}</p>
        <Button tone="accent" onClick={() => openWithProgram(reference)}>{t("openWith")}</Button>
      </Empty>
      <dl className={css.facts}>
        <dt>{t("kind")}</dt>
        <dd>{artifact.mediaType}</dd>
        <dt>{t("size")}</dt>
        <dd>{bytes(artifact.size, tongue)}</dd>
        <dt>{t("path")}</dt>
        <dd>{artifact.path}</dd>
      </dl>
    </div>
  );
}

function FromAddress({ artifact, reference }: PreviewProps) {
  const t = useWords(strings);
  const answer = useAnswer(() => host.shell("host/preview", { artifact: reference }), artifact.hash);
  const [broken, setBroken] = useState(false);
  if (answer.state === "asking") return <Loading name={artifact.name} />;
  if (answer.state === "failed") {
    return <div className={css.message}><FailureCard failure={answer.failure} actions={<Button small onClick={answer.again}>{t("tryAgain")}</Button>} /></div>;
  }
  if (broken) return <Facts artifact={artifact} reference={reference} title={t("failed")} hint={t("unknownHint")} />;
  const { url } = answer.value;
  const kind = previewKind(artifact.name, artifact.mediaType);
  if (kind === "image") return <ImagePreview url={url} name={artifact.name} onBroken={() => setBroken(true)} />;
  if (kind === "pdf") return <PdfPreview url={url} artifact={artifact} reference={reference} />;
  return <HtmlPreview url={url} name={artifact.name} />;
}

/** A page made by the agent is a stranger's page: its scripts run in an origin of their own that reaches nothing. */
function HtmlPreview({ url, name }: { url: string; name: string }) {
  const t = useWords(strings);
  return (
    <>
      <iframe className={css.frame} src={url} title={name} sandbox="allow-scripts" referrerPolicy="no-referrer" data-testid="preview-html" />
      <p className={css.note}>{t("htmlNote")}</p>
    </>
  );
}

function FromText({ artifact, reference }: PreviewProps) {
  const t = useWords(strings);
  const tongue = useTongue();
  const answer = useAnswer(() => host.ask("artifact/read", { artifact: reference, limit: TEXT }), artifact.hash);
  if (answer.state === "asking") return <Loading name={artifact.name} />;
  if (answer.state === "failed") {
    return <div className={css.message}><FailureCard failure={answer.failure} actions={<Button small onClick={answer.again}>{t("tryAgain")}</Button>} /></div>;
  }
  const { text, truncated, binary } = answer.value;
  if (binary) return <Facts artifact={artifact} reference={reference} title={t("binary")} hint={t("unknownHint")} />;
  const kind = previewKind(artifact.name, artifact.mediaType);
  return (
    <>
      {truncated && <p className={css.note} role="status">{t("truncated", { size: bytes(TEXT, tongue) })}</p>}
      {kind === "csv" ? (
        <CsvPreview text={text} name={artifact.name} />
      ) : kind === "markdown" ? (
        <MarkdownPreview text={text} name={artifact.name} />
      ) : (
        <TextPreview text={text} name={artifact.name} />
      )}
    </>
  );
}
