// A menu of actions or of choices, opened by a control.
import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactNode } from "react";

import css from "./Menu.module.css";

export function Menu({ trigger, children, align = "start", side = "bottom", label }: {
  /** A control; it gets the menu's behaviour. */
  trigger: React.JSX.Element;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
  label?: string;
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className={css.positioner} sideOffset={4} align={align} side={side} collisionPadding={8}>
          <Base.Popup className={css.popup} aria-label={label}>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export function MenuItem({ icon, shortcut, tone = "plain", children, ...rest }: {
  icon?: ReactNode;
  shortcut?: string;
  tone?: "plain" | "danger";
  disabled?: boolean;
  onClick?: () => void;
  children: ReactNode;
  "data-testid"?: string;
}) {
  return (
    <Base.Item className={`${css.item} ${tone === "danger" ? css.danger : ""}`} {...rest}>
      <span className={css.mark}>{icon}</span>
      <span className={css.text}>{children}</span>
      {shortcut !== undefined && <kbd className={css.key}>{shortcut}</kbd>}
    </Base.Item>
  );
}

export interface Choice<V extends string> {
  value: V;
  label: string;
  /** What choosing it means. */
  note?: string;
}

/** One of several: a group of radio items. */
export function MenuChoices<V extends string>({ value, choices, onChoose, title }: {
  value: V | undefined;
  choices: Choice<V>[];
  onChoose: (value: V) => void;
  title?: string;
}) {
  return (
    <Base.RadioGroup value={value ?? ""} onValueChange={(next: V) => onChoose(next)}>
      {title !== undefined && <Base.GroupLabel className={css.title}>{title}</Base.GroupLabel>}
      {choices.map((choice) => (
        <Base.RadioItem key={choice.value} value={choice.value} className={css.item} closeOnClick>
          <span className={css.mark}>
            <Base.RadioItemIndicator>
              <Check />
            </Base.RadioItemIndicator>
          </span>
          <span className={css.text}>
            {choice.label}
            {choice.note !== undefined && <span className={css.note}>{choice.note}</span>}
          </span>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  );
}

export function MenuLine() {
  return <Base.Separator className={css.line} />;
}
