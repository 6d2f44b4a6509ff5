// The menu of one thread, opened where the pointer or the cursor of the list is.
import { Menu as Base } from "@base-ui/react/menu";
import { Archive, ArchiveRestore, FolderOpen, GitFork, PencilLine, Pin, PinOff, Trash2 } from "lucide-react";
import { useRef } from "react";

import { MenuItem } from "../../components/Menu";
import menu from "../../components/Menu.module.css";
import { useWords } from "../../i18n";
import type { ThreadSummary } from "../../protocol";
import { archive, fork, openItsFolder, pin, remove, titleOf } from "./actions";
import { strings } from "./strings";

export interface MenuAt {
  thread: ThreadSummary;
  x: number;
  y: number;
}

export function ThreadMenu({ at, onClose, onRename, onGone }: {
  at: MenuAt | undefined;
  onClose: () => void;
  onRename?: (thread: ThreadSummary) => void;
  /** The thread left the list it is in. */
  onGone?: (thread: ThreadSummary) => void;
}) {
  const t = useWords(strings);
  // While it fades out it still says what it said.
  const last = useRef(at);
  if (at !== undefined) last.current = at;
  const shown = last.current;
  if (shown === undefined) return null;
  const { thread } = shown;
  const anchor = { getBoundingClientRect: () => new DOMRect(shown.x, shown.y, 0, 0) };
  const gone = (done: Promise<boolean>) => void done.then((ok) => ok && onGone?.(thread));
  return (
    <Base.Root open={at !== undefined} onOpenChange={(open) => { if (!open) onClose(); }} modal={false}>
      <Base.Portal>
        <Base.Positioner className={menu.positioner} anchor={anchor} sideOffset={2} align="start" collisionPadding={8}>
          <Base.Popup className={menu.popup} aria-label={t("more", { title: titleOf(thread) })}>
            {onRename !== undefined && <MenuItem icon={<PencilLine />} shortcut="F2" onClick={() => onRename(thread)}>{t("rename")}</MenuItem>}
            {!thread.archived && <MenuItem icon={thread.pinned ? <PinOff /> : <Pin />} onClick={() => void pin(thread)}>{t(thread.pinned ? "unpin" : "pin")}</MenuItem>}
            <MenuItem icon={<GitFork />} onClick={() => void fork(thread)}>{t("fork")}</MenuItem>
            <MenuItem icon={<FolderOpen />} onClick={() => void openItsFolder(thread)}>{t("openFolder")}</MenuItem>
            <Base.Separator className={menu.line} />
            <MenuItem icon={thread.archived ? <ArchiveRestore /> : <Archive />} onClick={() => gone(archive(thread, !thread.archived))}>
              {t(thread.archived ? "unarchive" : "archive")}
            </MenuItem>
            <MenuItem icon={<Trash2 />} tone="danger" onClick={() => gone(remove(thread))}>{t("remove")}</MenuItem>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
