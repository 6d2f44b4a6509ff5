// A question before something that can't be taken back.
import { useWords } from "../i18n";
import { dropQuestion, useStore } from "../state/store";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { strings } from "./strings";

export function Confirm() {
  const question = useStore((it) => it.question);
  const t = useWords(strings);
  if (question === undefined) return null;
  return (
    <Dialog
      open onClose={dropQuestion} title={question.title} size="small"
      actions={
        <>
          <Button onClick={dropQuestion}>{t("cancel")}</Button>
          <Button tone={question.danger ? "danger" : "accent"} onClick={() => { dropQuestion(); question.run(); }}>{question.confirm}</Button>
        </>
      }
    >
      <p>{question.text}</p>
    </Dialog>
  );
}
