// Fields of a form: a label, the control, a hint or what is wrong. The controls are the native ones.
import type { InputHTMLAttributes, ReactNode, Ref, SelectHTMLAttributes } from "react";
import { useId } from "react";

import css from "./Field.module.css";

export function Field({ label, hint, error, children, inline = false }: {
  label: string;
  hint?: ReactNode;
  error?: string;
  inline?: boolean;
  /** Gets the ids that tie it to its label and its hint. */
  children: (ids: { id: string; "aria-describedby": string; "aria-invalid"?: boolean }) => ReactNode;
}) {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className={`${css.field} ${inline ? css.inline : ""}`}>
      <label htmlFor={id} className={css.label}>{label}</label>
      {children({ id, "aria-describedby": noteId, "aria-invalid": error === undefined ? undefined : true })}
      <div id={noteId} className={error === undefined ? css.hint : css.error}>{error ?? hint}</div>
    </div>
  );
}

export function TextInput({ className, ref, ...rest }: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
  return <input ref={ref} spellCheck={false} autoComplete="off" className={`${css.input} ${className ?? ""}`} {...rest} />;
}

export function NativeSelect({ className, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return <select className={`${css.input} ${css.select} ${className ?? ""}`} {...rest} />;
}

/** What a list says instead of its rows: nothing here, still reading, or what went wrong. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      {icon}
      <p className={css.emptyTitle}>{title}</p>
      {children}
    </div>
  );
}
