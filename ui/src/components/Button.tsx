// Buttons: one with words, one with a picture. Both are plain <button>s.
import { Tooltip } from "@base-ui/react/tooltip";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

import css from "./Button.module.css";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: "plain" | "accent" | "danger" | "quiet";
  small?: boolean;
  icon?: ReactNode;
  /** Shown at the end, quiet; the key itself is bound elsewhere. */
  shortcut?: string;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ tone = "plain", small = false, icon, shortcut, children, className, ...rest }: ButtonProps) {
  const names = [css.button, css[tone], small ? css.small : "", className ?? ""].join(" ");
  return (
    <button type="button" className={names} {...rest}>
      {icon}
      <span className={css.label}>{children}</span>
      {shortcut !== undefined && <kbd className={css.key}>{shortcut}</kbd>}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  /** Its name, for the tooltip and for screen readers. */
  label: string;
  icon: ReactNode;
  shortcut?: string;
  small?: boolean;
  tone?: "quiet" | "accent" | "danger";
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, icon, shortcut, small = false, tone = "quiet", className, ref, ...rest }: IconButtonProps) {
  const names = [css.icon, css[tone], small ? css.smallIcon : "", className ?? ""].join(" ");
  return (
    <Tip text={label} shortcut={shortcut}>
      <button ref={ref} type="button" aria-label={label} className={names} {...rest}>
        {icon}
      </button>
    </Tip>
  );
}

/** Words that appear beside a control under the pointer or the focus. Never the only place they are. */
export function Tip({ text, shortcut, children }: { text: string; shortcut?: string; children: React.JSX.Element }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} delay={500} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className={css.positioner}>
          <Tooltip.Popup className={css.tip}>
            {text}
            {shortcut !== undefined && <kbd className={css.key}>{shortcut}</kbd>}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
