// Markdown, set or as it was written.
import { useState } from "react";

import { Button } from "../../components/Button";
import { useWords } from "../../i18n";
import { Markdown } from "../markdown/Markdown";
import css from "./Preview.module.css";
import { strings } from "./strings";
import { TextPreview } from "./TextPreview";

export function MarkdownPreview({ text, name }: { text: string; name: string }) {
  const t = useWords(strings);
  const [source, setSource] = useState(false);
  return (
    <>
      {source ? <TextPreview text={text} name={name} /> : <article className={css.page} data-testid="preview-markdown"><Markdown text={text} /></article>}
      <div className={css.switch}>
        <Button small tone="quiet" aria-pressed={!source} onClick={() => setSource(false)}>{t("rendered")}</Button>
        <Button small tone="quiet" aria-pressed={source} onClick={() => setSource(true)}>{t("source")}</Button>
      </div>
    </>
  );
}
