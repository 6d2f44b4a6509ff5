// A window over the window. Escape and a click beside it close it.
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";

import { useWords } from "../i18n";
import { IconButton } from "./Button";
import css from "./Dialog.module.css";
import { strings } from "./strings";

export function Dialog({ open, onClose, title, hideTitle = false, size = "medium", children, actions }: {
  open: boolean;
  onClose: () => void;
  title: string;
  /** The title is for screen readers only. */
  hideTitle?: boolean;
  size?: "small" | "medium" | "large";
  children: ReactNode;
  actions?: ReactNode;
}) {
  const t = useWords(strings);
  return (
    <Base.Root open={open} onOpenChange={(next) => { if (!next) onClose(); }}>
      <Base.Portal>
        <Base.Backdrop className={css.scrim} />
        <Base.Popup className={`${css.popup} ${css[size]}`}>
          <header className={hideTitle ? "unseen" : css.header}>
            <Base.Title className={css.title}>{title}</Base.Title>
            <Base.Close render={<IconButton label={t("close")} icon={<X />} />} />
          </header>
          <div className={css.body}>{children}</div>
          {actions !== undefined && <footer className={css.actions}>{actions}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
