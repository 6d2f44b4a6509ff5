// Says that a settings file could not be read, where it is wrong, and that nothing was lost.
import { TriangleAlert } from "lucide-react";

import { useWords } from "../../i18n";
import { useStore } from "../../state/store";
import css from "./BrokenBanner.module.css";
import { strings } from "./strings";

export function BrokenBanner() {
  const t = useWords(strings);
  const broken = useStore((it) => it.settings?.broken);
  if (broken === undefined) return null;
  return (
    <div className={css.banner} role="alert" data-testid="settings-broken">
      <TriangleAlert aria-hidden />
      <div>
        <p className={css.title}>{t("brokenTitle")}</p>
        <p>{broken.message}</p>
        {broken.hint !== undefined && <p>{broken.hint}</p>}
        <p className={css.quiet}>{t("brokenText")}</p>
        {broken.details !== undefined && broken.details !== "" && (
          <details>
            <summary>{t("details")}</summary>
            <pre>{broken.details}</pre>
          </details>
        )}
      </div>
    </div>
  );
}
