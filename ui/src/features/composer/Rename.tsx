// Gives a thread a title.
import { useState } from "react";

import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field, TextInput } from "../../components/Field";
import { host } from "../../host";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import type { ThreadSummary } from "../../protocol";
import { tellFailure } from "../../state/store";
import { strings } from "./strings";

export function Rename({ thread, onClose }: { thread: ThreadSummary; onClose: () => void }) {
  const [title, setTitle] = useState(thread.title);
  const t = useWords(strings);
  const save = () => {
    onClose();
    void host.ask("thread/rename", { threadId: thread.id, title: title.trim() }).catch(tellFailure);
  };
  const enter = useEnterSubmit<HTMLInputElement>(save);
  return (
    <Dialog
      open onClose={onClose} title={t("renameTitle")} size="small"
      actions={<><Button onClick={onClose}>{t("cancel")}</Button><Button tone="accent" onClick={save}>{t("save")}</Button></>}
    >
      <Field label={t("title")} hint={t("renameHint")}>
        {(ids) => <TextInput {...ids} {...enter} autoFocus value={title} onChange={(event) => setTitle(event.target.value)} />}
      </Field>
    </Dialog>
  );
}
