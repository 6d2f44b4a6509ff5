// The engine did not start: why, what to do, and another try. All that there is on the page then.
import { Button } from "../components/Button";
import { FailureCard } from "../components/FailureCard";
import { strings } from "../components/strings";
import { useWords } from "../i18n";
import type { Failure } from "../protocol";
import css from "./NotStarted.module.css";

export function NotStarted({ failure }: { failure: Failure }) {
  const t = useWords(strings);
  return (
    <main className={css.page}>
      <FailureCard failure={failure} actions={<Button onClick={() => location.reload()}>{t("retry")}</Button>} />
    </main>
  );
}
