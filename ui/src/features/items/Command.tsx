// A command: its exact words, its output as it comes, how it ended.
import { Maximize2, ShieldAlert, ShieldOff } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Button } from "../../components/Button";
import { useWords } from "../../i18n";
import type { Item } from "../../protocol";
import { CopyButton } from "../markdown/CodeBlock";
import { runs, type Run } from "./ansi";
import css from "./Command.module.css";
import { OutputLines } from "./OutputLines";
import { Step } from "./Step";
import { strings } from "./strings";

const OutputDialog = lazy(async () => ({ default: (await import("./OutputDialog")).OutputDialog }));

type CommandItem = Extract<Item, { type: "command" }>;

/** Lines that a running command shows. */
const LIVE_LINES = 6;
const SHORT = 60;
/** Lines of a kept output that the card shows. */
const ROWS = 14;

export function Command({ item, threadId, asked, open }: { item: CommandItem; threadId: string; asked: boolean; open: boolean }) {
  const t = useWords(strings);
  const running = item.status === "inProgress";
  const verb = asked ? t("asked") : running ? t("running") : item.status === "declined" ? t("declined") : item.status === "interrupted" ? t("stopped") : t("ran");
  // A short command stands whole in its line.
  const long = item.command.length > SHORT || item.command.includes("\n");
  const failed = item.exitCode !== undefined && item.exitCode !== 0;
  return (
    <Step
      item={item}
      verb={verb}
      object={<code>{item.command.replace(/\s*\n\s*/g, " ⏎ ")}</code>}
      title={item.command}
      note={failed ? <span className={css.failed}>{t("exit", { code: item.exitCode ?? 0 })}</span> : undefined}
      open={open}
      waits={asked}
      peek={running && !asked && item.tail !== "" ? <Tail text={item.tail} lines={LIVE_LINES} /> : undefined}
    >
      {long && (
        <div className={css.exact}>
          <pre tabIndex={0}><code>{item.command}</code></pre>
          <CopyButton text={item.command} label={t("copyCommand")} />
        </div>
      )}
      <div className={css.facts}>
        {!long && <CopyButton text={item.command} label={t("copyCommand")} />}
        <span>{t("folder")} <code>{item.cwd}</code></span>
        {item.escalated && <span className={css.warn}><ShieldOff aria-hidden />{t("withoutSandbox")}</span>}
        {item.sandboxDenied && <span className={css.warn}><ShieldAlert aria-hidden />{t("sandboxDenied")}</span>}
      </div>
      <Output item={item} threadId={threadId} />
    </Step>
  );
}

function Output({ item, threadId }: { item: CommandItem; threadId: string }) {
  const [full, setFull] = useState(false);
  const t = useWords(strings);
  const { output } = item;
  if (output === undefined || item.status === "inProgress") {
    if (item.tail !== "") return <Tail text={item.tail} lines={40} />;
    return item.status === "inProgress" ? null : <p className={css.none}>{t("noOutput")}</p>;
  }
  if (output.lines === 0) return <p className={css.none}>{t("noOutput")}</p>;
  return (
    <div className={css.output} data-testid="tool-output">
      <OutputLines threadId={threadId} output={output} rows={Math.min(output.lines, ROWS)} />
      {output.lines > ROWS && (
        <div className={css.more}>
          <Button small tone="quiet" icon={<Maximize2 />} data-testid="output-open" onClick={() => setFull(true)}>{t("openOutput", { count: output.lines })}</Button>
        </div>
      )}
      {full && <Suspense><OutputDialog threadId={threadId} output={output} command={item.command} onClose={() => setFull(false)} /></Suspense>}
    </div>
  );
}

/** The last lines of what came so far. */
function Tail({ text, lines }: { text: string; lines: number }) {
  const shown = text.replace(/\n$/, "").split("\n").slice(-lines).join("\n");
  return (
    <pre className={css.tail} data-testid="tool-output">
      {runs(shown).map((line, i) => <div key={i}><Runs line={line} /></div>)}
    </pre>
  );
}

export function Runs({ line }: { line: Run[] }) {
  if (line.length === 0) return "\n";
  return line.map((run, i) => (
    <span
      key={i}
      style={{
        color: run.fg, background: run.bg, fontWeight: run.bold ? 600 : undefined, opacity: run.dim ? 0.75 : undefined,
        fontStyle: run.italic ? "italic" : undefined, textDecoration: run.underline ? "underline" : undefined,
      }}
    >
      {run.text}
    </span>
  ));
}

/** What was typed into a running command. */
export function CommandInput({ item }: { item: Extract<Item, { type: "commandInput" }> }) {
  const t = useWords(strings);
  const shown = JSON.stringify(item.chars).slice(1, -1);
  return <Step item={item} verb={item.chars === "" ? t("looked") : t("typed")} object={item.chars === "" ? undefined : <code>{shown}</code>} title={shown} />;
}
