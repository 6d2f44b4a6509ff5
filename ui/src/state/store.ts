// What the screen knows: the threads' list, the settings, where the person is, and the thread that is open.
import { create } from "zustand";

import { asFailure, host } from "../host";
import { tongueOf, type Tongue } from "../i18n/words";
import type { ArtifactId, Failure, Frame, HostInfo, Settings, SettingsPatch, ThreadId, ThreadSummary } from "../protocol";
import { applyFrame, open, prepend, type Thread } from "./thread";

export type Place =
  | { view: "loading" }
  | { view: "welcome" }
  /** A thread that begins with its first prompt. */
  | { view: "new"; cwd: string }
  | { view: "thread"; threadId: ThreadId };

export type PaneTab = "artifacts" | "changes" | "plan";

export interface Pane {
  open: boolean;
  tab: PaneTab;
  /** Shown in the artifacts tab; the list when absent. */
  artifactId?: ArtifactId;
  version?: number;
  /** Shown in the changes tab; all turns when absent. */
  turnId?: string;
}

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "danger";
  action?: { label: string; run: () => void };
}

/** Something that is done only after a yes. */
export interface Question {
  title: string;
  text: string;
  confirm: string;
  danger?: boolean;
  run: () => void;
}

export interface Store {
  info: HostInfo | undefined;
  tongue: Tongue;
  settings: Settings | undefined;
  summaries: ThreadSummary[];
  /** The list was read at least once. */
  listed: boolean;
  /** Why the list or the settings could not be read. */
  failure: Failure | undefined;
  place: Place;
  /** Folds of threads that were opened, newest last; only a few are kept. */
  threads: Record<ThreadId, Thread>;
  /** Why a thread could not be opened. */
  threadFailures: Record<ThreadId, Failure>;
  /** Go to this item once it is drawn. */
  target: { threadId: ThreadId; itemId: string } | undefined;
  pane: Pane;
  sidebar: boolean;
  /** What is open over everything else. Settings keep the page they opened on. */
  overlay: { type: "none" } | { type: "settings"; page?: string } | { type: "palette" } | { type: "shortcuts" };
  toasts: Toast[];
  question: Question | undefined;
}

/** Where the sidebar lies beside the page and not over it (see App.module.css). */
const wide = matchMedia("(min-width: 641px)");

export const useStore = create<Store>(() => ({
  info: undefined,
  tongue: tongueOf(navigator.language),
  settings: undefined,
  summaries: [],
  listed: false,
  failure: undefined,
  place: { view: "loading" },
  threads: {},
  threadFailures: {},
  target: undefined,
  pane: { open: false, tab: "artifacts" },
  sidebar: wide.matches,
  overlay: { type: "none" },
  toasts: [],
  question: undefined,
}));

const set = useStore.setState;
const get = useStore.getState;

/** Threads kept in memory beside the open one. */
const KEPT = 3;
const PLACE = "zspark.place";

/** What the person wants where there is room for it. */
let wantsSidebar = true;

// A page is loaded before its window is shown, and has no width until then.
wide.addEventListener("change", () => set({ sidebar: wide.matches && wantsSidebar }));

let unfollowThread: (() => void) | undefined;


function byPlace(a: ThreadSummary, b: ThreadSummary): number {
  return Number(b.pinned) - Number(a.pinned) || b.updatedMs - a.updatedMs;
}

function takeHomeFrame(frame: Frame): void {
  set((it) => {
    let summaries = it.summaries;
    if (frame.threads.length > 0 || frame.removed.length > 0) {
      const changed = new Map(frame.threads.map((thread) => [thread.id, thread]));
      const gone = new Set([...frame.removed, ...changed.keys()]);
      summaries = [...summaries.filter((thread) => !gone.has(thread.id)), ...frame.threads.filter((thread) => !thread.archived)].sort(byPlace);
    }
    // An open thread has its title from here: only the engine knows how a prompt becomes one.
    const threads = { ...it.threads };
    for (const summary of frame.threads) {
      const known = threads[summary.id];
      if (known !== undefined) threads[summary.id] = { ...known, summary };
    }
    return { summaries, threads, ...(frame.settings ? withSettings(it, frame.settings) : {}) };
  });
}

function withSettings(it: Store, settings: Settings): Partial<Store> {
  const { value } = settings.language;
  return { settings, tongue: tongueOf(value === "system" ? (it.info?.locale ?? navigator.language) : value) };
}

/** Takes over settings that an answer brought. */
export function takeSettings(settings: Settings): void {
  set((it) => withSettings(it, settings));
}

/** Reads what the first screen needs and goes to where the person was. */
export async function start(): Promise<void> {
  try {
    const info = await host.shell("host/info", {});
    set({ info });
    host.follow({ type: "home" }, takeHomeFrame);
    const [settings, summaries] = await Promise.all([host.ask("setting/read", {}), host.ask("thread/list", { archived: false })]);
    takeSettings(settings);
    set({ summaries: [...summaries].sort(byPlace), listed: true, failure: undefined });
    host.onHostEvent((event) => {
      if (event.type === "openFolder") newThread(event.cwd);
      if (event.type === "openThread") openThread(event.threadId);
    });
    goHome(info, settings, summaries);
  } catch (thrown) {
    set({ failure: asFailure(thrown), listed: true, place: { view: "welcome" } });
  }
}

function goHome(info: HostInfo, settings: Settings, summaries: ThreadSummary[]): void {
  const last = readPlace();
  const newest = summaries.reduce<ThreadSummary | undefined>((best, it) => (best === undefined || it.updatedMs > best.updatedMs ? it : best), undefined);
  if (settings.provider.value === null) {
    set({ place: { view: "welcome" } });
  } else if (last?.view === "thread" && summaries.some((it) => it.id === last.threadId)) {
    openThread(last.threadId);
  } else if (info.folder !== undefined) {
    newThread(info.folder);
  } else if (last?.view === "new") {
    newThread(last.cwd);
  } else if (newest !== undefined) {
    openThread(newest.id);
  } else if (settings.recentFolders[0] !== undefined) {
    newThread(settings.recentFolders[0]);
  } else {
    set({ place: { view: "welcome" } });
  }
}

// A reload of the page (an evicted web process too) comes back to the same place; a new window starts as it was asked to.
function readPlace(): Place | undefined {
  const kept = sessionStorage.getItem(PLACE);
  return kept === null ? undefined : (JSON.parse(kept) as Place);
}

function go(place: Place): void {
  sessionStorage.setItem(PLACE, JSON.stringify(place));
  set({ place, overlay: { type: "none" }, ...(wide.matches ? {} : { sidebar: false }) });
}


function putThread(thread: Thread): void {
  set((it) => {
    const id = thread.summary.id;
    const { [id]: _, ...others } = it.threads;
    const kept = Object.entries(others).slice(-KEPT);
    return { threads: { ...Object.fromEntries(kept), [id]: thread } };
  });
}

function changeThread(id: ThreadId, change: (thread: Thread) => Thread): void {
  set((it) => {
    const thread = it.threads[id];
    return thread === undefined ? it : { threads: { ...it.threads, [id]: change(thread) } };
  });
}

function follow(threadId: ThreadId, after: number): void {
  unfollowThread?.();
  unfollowThread = host.follow({ type: "thread", threadId, after }, (frame) => changeThread(threadId, (it) => applyFrame(it, frame)));
}

/** Shows a thread; with an item, that item. */
export function openThread(threadId: ThreadId, target?: { itemId: string; seq: number }): void {
  go({ view: "thread", threadId });
  set({ target: target && { threadId, itemId: target.itemId } });
  const known = get().threads[threadId];
  if (known !== undefined && target === undefined) {
    putThread(known);
    follow(threadId, known.nextSeq);
    return;
  }
  void readThread(threadId, target?.seq);
}

/** Reads a thread's newest page and follows it from there. */
export async function readThread(threadId: ThreadId, reach?: number): Promise<void> {
  try {
    const page = await host.ask("thread/read", { threadId, reach });
    const { place } = get();
    if (place.view !== "thread" || place.threadId !== threadId) return;
    putThread(open(page));
    set((it) => {
      const { [threadId]: _, ...threadFailures } = it.threadFailures;
      return { threadFailures };
    });
    follow(threadId, page.nextSeq);
  } catch (thrown) {
    set((it) => ({ threadFailures: { ...it.threadFailures, [threadId]: asFailure(thrown) } }));
  }
}

/** Reads the page above. Two calls at once read one page. */
export async function readOlder(threadId: ThreadId): Promise<void> {
  const before = get().threads[threadId]?.before;
  if (before === undefined) return;
  const page = await host.ask("thread/read", { threadId, before });
  changeThread(threadId, (it) => (it.before === before ? prepend(it, page) : it));
}

/** Shows the page of a thread that begins with its first prompt. */
export function newThread(cwd: string): void {
  unfollowThread?.();
  unfollowThread = undefined;
  go({ view: "new", cwd });
}

export function showWelcome(): void {
  unfollowThread?.();
  unfollowThread = undefined;
  go({ view: "welcome" });
}


export function showPane(pane: Partial<Pane>): void {
  set((it) => ({ pane: { ...it.pane, open: true, ...pane } }));
}

export function closePane(): void {
  set((it) => ({ pane: { ...it.pane, open: false } }));
}

export function toggleSidebar(): void {
  set((it) => ({ sidebar: !it.sidebar }));
  if (wide.matches) wantsSidebar = get().sidebar;
}

export function showOverlay(overlay: Store["overlay"]): void {
  set({ overlay });
}

export function closeOverlay(): void {
  set({ overlay: { type: "none" } });
}

export async function writeSettings(patch: SettingsPatch): Promise<void> {
  try {
    takeSettings(await host.ask("setting/write", { patch }));
  } catch (thrown) {
    tellFailure(thrown);
  }
}

/** Asks before something that can't be taken back. */
export function askFirst(question: Question): void {
  set({ question });
}

export function dropQuestion(): void {
  set({ question: undefined });
}

let lastToast = 0;

/** Says something in the corner, where it stays until it is closed or its time is over. */
export function tell(text: string, options: { tone?: Toast["tone"]; action?: Toast["action"] } = {}): void {
  lastToast += 1;
  const toast: Toast = { id: lastToast, text, tone: options.tone ?? "plain", action: options.action };
  set((it) => ({ toasts: [...it.toasts.slice(-2), toast] }));
}

export function tellFailure(thrown: unknown): void {
  const { message, hint } = asFailure(thrown);
  tell(hint === undefined ? message : `${message} ${hint}`, { tone: "danger" });
}

export function dismiss(id: number): void {
  set((it) => ({ toasts: it.toasts.filter((toast) => toast.id !== id) }));
}


/** The thread on screen. */
export function currentThread(it: Store): Thread | undefined {
  return it.place.view === "thread" ? it.threads[it.place.threadId] : undefined;
}

/** The folder on screen. */
export function currentFolder(it: Store): string | undefined {
  if (it.place.view === "new") return it.place.cwd;
  if (it.place.view !== "thread") return undefined;
  const { threadId } = it.place;
  return it.threads[threadId]?.summary.cwd ?? it.summaries.find((thread) => thread.id === threadId)?.cwd;
}
