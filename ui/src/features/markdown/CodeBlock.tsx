// A block of code: its language, a way to copy it, colours once the grammar is there.
import { Check, Copy } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import type { ThemedToken } from "shiki/core";

import { IconButton } from "../../components/Button";
import { strings as shared } from "../../components/strings";
import { useWords } from "../../i18n";
import css from "./CodeBlock.module.css";
import { grammarOf, Growing, load } from "./highlight";

/** Beyond this, colours cost more than they help. */
const MOST = 200_000;

export function CodeBlock({ code, language }: { code: string; language?: string }) {
  const t = useWords(shared);
  return (
    <figure className={css.block}>
      <figcaption className={css.head}>
        <span>{language ?? ""}</span>
        <CopyButton text={code} label={t("copy")} />
      </figcaption>
      <pre className={css.code} tabIndex={0}><code><Coloured code={code} language={language} /></code></pre>
    </figure>
  );
}

export function Coloured({ code, language }: { code: string; language?: string }) {
  const lines = useHighlighted(code, language);
  if (lines === undefined) return code;
  return lines.map((line, i) => <Line key={i} tokens={line} />);
}

// Finished lines are the same arrays on every draw, so only the growing last line is drawn again.
const Line = memo(function Line({ tokens }: { tokens: ThemedToken[] }) {
  return (
    <>
      {tokens.map((token, i) => <span key={i} style={{ color: token.color }}>{token.content}</span>)}
      {"\n"}
    </>
  );
});

function useHighlighted(code: string, language: string | undefined): ThemedToken[][] | undefined {
  const grammar = code.length > MOST ? undefined : grammarOf(language);
  const [ready, setReady] = useState<{ grammar: string; growing: Growing }>();
  const memory = useRef<{ code: string; lines: ThemedToken[][] }>(undefined);
  useEffect(() => {
    if (grammar === undefined) return undefined;
    let gone = false;
    load(grammar).then(
      (highlight) => {
        if (!gone) setReady({ grammar, growing: new Growing(highlight) });
      },
      // Without colours the code is still there.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [grammar]);
  if (grammar === undefined || ready?.grammar !== grammar) return undefined;
  if (memory.current?.code !== code) memory.current = { code, lines: ready.growing.take(code, true) };
  return memory.current.lines;
}

const TOLD_MS = 1500;

export function CopyButton({ text, label }: { text: string | (() => Promise<string>); label: string }) {
  const [copied, setCopied] = useState(false);
  const t = useWords(shared);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
    setCopied(true);
  };
  return <IconButton small label={copied ? t("copied") : label} icon={copied ? <Check /> : <Copy />} onClick={() => void copy()} />;
}
