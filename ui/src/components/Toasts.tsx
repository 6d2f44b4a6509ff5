// Short notices in the corner. A plain one leaves by itself, a failure stays until it is closed.
import { X } from "lucide-react";
import { useEffect } from "react";

import { useWords } from "../i18n";
import { dismiss, useStore, type Toast } from "../state/store";
import { Button, IconButton } from "./Button";
import { strings } from "./strings";
import css from "./Toasts.module.css";

const PLAIN_MS = 6000;

export function Toasts() {
  const toasts = useStore((it) => it.toasts);
  const t = useWords(strings);
  return (
    <section className={css.list} aria-label={t("notices")} aria-live="polite">
      {toasts.map((toast) => <One key={toast.id} toast={toast} />)}
    </section>
  );
}

function One({ toast }: { toast: Toast }) {
  const t = useWords(strings);
  useEffect(() => {
    if (toast.tone === "danger") return undefined;
    const timer = setTimeout(() => dismiss(toast.id), PLAIN_MS);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div className={`${css.toast} ${css[toast.tone]}`}>
      <span className={css.text}>{toast.text}</span>
      {toast.action !== undefined && (
        <Button small onClick={() => { dismiss(toast.id); toast.action?.run(); }}>{toast.action.label}</Button>
      )}
      <IconButton small label={t("close")} icon={<X />} onClick={() => dismiss(toast.id)} />
    </div>
  );
}
