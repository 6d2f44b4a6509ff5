// What went wrong: what happened, what to do, and the provider's own words folded away. Calmer where nothing failed.
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { useWords } from "../i18n";
import type { Failure } from "../protocol";
import css from "./FailureCard.module.css";
import { strings } from "./strings";

export function FailureCard({ failure, actions, tone = "failure" }: { failure: Failure; actions?: ReactNode; tone?: "failure" | "note" }) {
  const t = useWords(strings);
  return (
    <div className={`${css.card} ${tone === "note" ? css.note : ""}`} data-testid="error-card" role="group" aria-label={failure.message}>
      <TriangleAlert aria-hidden className={css.icon} />
      <div className={css.body}>
        <p className={css.message}>{failure.message}</p>
        {failure.hint !== undefined && <p className={css.hint}>{failure.hint}</p>}
        {failure.details !== undefined && failure.details !== "" && (
          <details className={css.details}>
            <summary>{t("details")}</summary>
            <pre>{failure.details}</pre>
          </details>
        )}
        {actions !== undefined && actions !== null && <div className={css.actions}>{actions}</div>}
      </div>
    </div>
  );
}
