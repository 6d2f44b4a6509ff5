// The actions that have a name: what each does, and whether it makes sense now.
import {
  Archive, ArrowDown, ArrowUp, Command, FileDiff, FolderOpen, GitFork, Languages, Moon, Package, PanelLeft, PanelRight, PenLine, PencilLine, Pin, Search, Settings, Square, SquarePen, Sun, SunMoon,
} from "lucide-react";
import { useMemo, type ReactNode } from "react";

import { host } from "../../host";
import type { ThreadSummary } from "../../protocol";
import { closePane, showOverlay, showPane, tellFailure, toggleSidebar, useStore, writeSettings } from "../../state/store";
import { focusComposer } from "../composer/drafts";
import { archive, fork, openItsFolder, pin, startNew, step } from "../threads/actions";
import { group } from "../threads/grouping";
import { focusSearch, renameInSidebar } from "../threads/wishes";
import type { ShortcutName } from "./shortcuts";
import type { strings } from "./strings";

export interface Action {
  name: keyof typeof strings.en;
  icon: ReactNode;
  shortcut?: ShortcutName;
  run: () => void;
}

/** In the order of the sidebar. */
function ordered(): ThreadSummary[] {
  const { pinned, folders } = group(useStore.getState().summaries);
  return [...pinned, ...folders.flatMap((it) => it.threads)];
}

function togglePane(): void {
  if (useStore.getState().pane.open) closePane();
  else showPane({});
}

export function useActions(): Action[] {
  const place = useStore((it) => it.place);
  const threadId = place.view === "thread" ? place.threadId : undefined;
  const thread = useStore((it) => it.summaries.find((one) => one.id === threadId));
  const view = place.view;
  return useMemo(() => {
    const actions: Action[] = [
      { name: "paletteAction", icon: <Command />, shortcut: "palette", run: () => showOverlay(useStore.getState().overlay.type === "palette" ? { type: "none" } : { type: "palette" }) },
      { name: "newThread", icon: <SquarePen />, shortcut: "newThread", run: startNew },
    ];
    if (view === "thread" || view === "new") {
      actions.push(
        { name: "search", icon: <Search />, shortcut: "search", run: focusSearch },
        { name: "focusComposer", icon: <PenLine />, shortcut: "focusComposer", run: focusComposer },
        { name: "nextThread", icon: <ArrowDown />, shortcut: "nextThread", run: () => step(ordered(), 1) },
        { name: "previousThread", icon: <ArrowUp />, shortcut: "previousThread", run: () => step(ordered(), -1) },
        { name: "toggleSidebar", icon: <PanelLeft />, shortcut: "toggleSidebar", run: toggleSidebar },
        { name: "toggleSidePane", icon: <PanelRight />, shortcut: "toggleSidePane", run: togglePane },
      );
    }
    if (threadId !== undefined) {
      actions.push(
        { name: "showArtifacts", icon: <Package />, run: () => showPane({ tab: "artifacts", artifactId: undefined, version: undefined }) },
        { name: "showChanges", icon: <FileDiff />, run: () => showPane({ tab: "changes", turnId: undefined }) },
      );
    }
    if (thread !== undefined) {
      if (thread.status !== "idle") {
        actions.push({ name: "stop", icon: <Square />, run: () => void host.ask("turn/interrupt", { threadId: thread.id }).catch(tellFailure) });
      }
      actions.push(
        { name: "renameThread", icon: <PencilLine />, shortcut: "renameThread", run: () => renameInSidebar(thread.id) },
        { name: "pinThread", icon: <Pin />, run: () => void pin(thread) },
        { name: "forkThread", icon: <GitFork />, run: () => void fork(thread) },
        { name: "openFolder", icon: <FolderOpen />, run: () => void openItsFolder(thread) },
        { name: "archiveThread", icon: <Archive />, run: () => void archive(thread, true) },
      );
    }
    actions.push(
      { name: "settings", icon: <Settings />, shortcut: "settings", run: () => showOverlay({ type: "settings" }) },
      { name: "themeLight", icon: <Sun />, run: () => void writeSettings({ theme: "light" }) },
      { name: "themeDark", icon: <Moon />, run: () => void writeSettings({ theme: "dark" }) },
      { name: "themeSystem", icon: <SunMoon />, run: () => void writeSettings({ theme: "system" }) },
      { name: "languageEn", icon: <Languages />, run: () => void writeSettings({ language: "en" }) },
      { name: "languageZh", icon: <Languages />, run: () => void writeSettings({ language: "zh-CN" }) },
    );
    return actions;
  }, [threadId, thread, view]);
}
