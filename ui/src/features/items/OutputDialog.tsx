// The whole output of a command, with search and copy.
import { ChevronDown } from "lucide-react";
import { useRef, useState } from "react";

import { IconButton } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { TextInput } from "../../components/Field";
import { host } from "../../host";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import { bytes } from "../../i18n/format";
import type { OutputRef } from "../../protocol";
import { tell, tellFailure } from "../../state/store";
import { CopyButton } from "../markdown/CodeBlock";
import { plain } from "./ansi";
import css from "./OutputDialog.module.css";
import { OutputLines, type OutputHandle } from "./OutputLines";
import { strings } from "./strings";

/** A clipboard is not a place for more. */
const MOST_COPIED = 20_000_000;
const COPY_LINES = 20_000;

export function OutputDialog({ threadId, output, command, onClose }: { threadId: string; output: OutputRef; command: string; onClose: () => void }) {
  const t = useWords(strings);
  const view = useRef<OutputHandle>(null);
  const [query, setQuery] = useState("");
  const [match, setMatch] = useState<number | "none">();

  const find = async () => {
    if (query === "") return;
    try {
      const from = typeof match === "number" ? match + 1 : (view.current?.first() ?? 0);
      const read = (line: number) => host.ask("output/read", { threadId, blob: output.blob, line, limit: 1, query });
      let found = await read(from);
      // At the end the search begins again at the top.
      if (found.exhausted && from > 0) found = await read(0);
      setMatch(found.exhausted ? "none" : found.line);
      if (!found.exhausted) view.current?.show(found.line);
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  const copyAll = async () => {
    const parts: string[] = [];
    for (let line = 0; line < output.lines; line += COPY_LINES) {
      const window = await host.ask("output/read", { threadId, blob: output.blob, line, limit: COPY_LINES });
      parts.push(...window.lines);
      if (window.lines.length === 0) break;
    }
    return plain(parts.join("\n"));
  };

  const enter = useEnterSubmit<HTMLInputElement>(() => void find());
  return (
    <Dialog open onClose={onClose} title={t("outputOf", { command: command.length > 80 ? `${command.slice(0, 80)}…` : command })} size="large">
      <div className={css.bar}>
        <TextInput
          aria-label={t("findInOutput")} placeholder={t("findInOutput")} value={query} className={css.find} {...enter}
          onChange={(event) => {
            setQuery(event.target.value);
            setMatch(undefined);
          }}
        />
        <IconButton label={t("findNext")} icon={<ChevronDown />} onClick={() => void find()} />
        <span className={css.found} role="status">{match === "none" ? t("notFound") : match === undefined ? "" : t("foundAt", { line: match + 1 })}</span>
        <span className={css.size}>{bytes(output.bytes)}</span>
        {output.bytes <= MOST_COPIED
          ? <CopyButton label={t("copyOutput")} text={copyAll} />
          : <button type="button" className={css.size} onClick={() => tell(t("tooLong"))}>{t("copyOutput")}</button>}
      </div>
      <div className={css.lines}>
        <OutputLines ref={view} threadId={threadId} output={output} marked={typeof match === "number" ? match : undefined} find={match === undefined ? undefined : query} />
      </div>
    </Dialog>
  );
}
