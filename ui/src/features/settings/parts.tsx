// What settings pages are made of: a titled section, a setting with its origin, and a group of explained choices.
import { Lock } from "lucide-react";
import { useId, type ReactNode } from "react";

import { useWords } from "../../i18n";
import type { Origin } from "../../protocol";
import { isOurs, originText } from "./origin";
import css from "./parts.module.css";
import { strings } from "./strings";

export function Section({ id, title, intro, action, children }: { id?: string; title?: string; intro?: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section} data-setting={id}>
      {title !== undefined && (
        <header className={css.head}>
          <h3>{title}</h3>
          {action}
        </header>
      )}
      {intro !== undefined && (
        <div className={css.intro}>
          <p className={css.hint}>{intro}</p>
          {title === undefined && action}
        </div>
      )}
      {children}
    </section>
  );
}

/** Where a value comes from, and a lock where it cannot be changed here. */
export function OriginNote({ origin }: { origin: Origin }) {
  const t = useWords(strings);
  const text = originText(origin, t);
  if (text === undefined) return null;
  return (
    <span className={css.origin}>
      {!isOurs(origin) && <Lock aria-hidden />}
      {text}
    </span>
  );
}

/** A setting on one line: what it is on the left, its control on the right. */
export function Setting({ id, label, hint, origin, children }: {
  id: string;
  label: string;
  hint?: string;
  origin?: Origin;
  children: (control: { id: string; "aria-describedby": string; disabled: boolean }) => ReactNode;
}) {
  const controlId = useId();
  const noteId = `${controlId}-note`;
  return (
    <div className={css.setting} data-setting={id}>
      <div className={css.about}>
        <label htmlFor={controlId}>{label}</label>
        <div id={noteId} className={css.hint}>
          {hint}
          {origin !== undefined && <OriginNote origin={origin} />}
        </div>
      </div>
      <div className={css.control}>{children({ id: controlId, "aria-describedby": noteId, disabled: origin !== undefined && !isOurs(origin) })}</div>
    </div>
  );
}

export interface Explained<V extends string> {
  value: V;
  label: string;
  hint: string;
}

/** One of several, each with what it means: native radio buttons. */
export function Choices<V extends string>({ id, title, hint, origin, value, choices, onChoose }: {
  id: string;
  title: string;
  hint?: string;
  origin: Origin;
  value: V;
  choices: Explained<V>[];
  onChoose: (value: V) => void;
}) {
  const name = useId();
  return (
    <fieldset className={css.choices} data-setting={id} disabled={!isOurs(origin)}>
      <legend>{title}</legend>
      <p className={css.hint}>
        {hint}
        <OriginNote origin={origin} />
      </p>
      <div className={css.options}>
        {choices.map((choice) => (
          <label key={choice.value} className={css.option}>
            <input type="radio" name={name} value={choice.value} checked={choice.value === value} onChange={() => onChoose(choice.value)} />
            <span>
              <span className={css.optionLabel}>{choice.label}</span>
              <span className={css.hint}>{choice.hint}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
