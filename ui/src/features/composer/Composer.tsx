// Where a prompt is written: text, attachments, what it runs with, and what waits.
import { ArrowUp, CornerDownLeft, Paperclip, Square, X } from "lucide-react";
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from "react";

import { Button, IconButton } from "../../components/Button";
import { host } from "../../host";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import type { Attachment, ThreadId, ThreadSettings, ThreadSettingsPatch } from "../../protocol";
import { tellFailure, useStore } from "../../state/store";
import { isBusy } from "../../state/thread";
import { AttachmentLabel } from "../items/Messages";
import { run } from "./commands";
import css from "./Composer.module.css";
import { changeDraft, clearDraft, draftKey, draftOf, editPrompt, useDraft, useDrafts } from "./drafts";
import { complete, isLong, submitKind } from "./mention";
import { Meter } from "./Meter";
import { Queue } from "./Queue";
import { Rename } from "./Rename";
import { Selectors } from "./Selectors";
import { strings } from "./strings";
import { submit } from "./submit";
import { Suggestions, useSuggestions, type Suggestion } from "./Suggestions";
import { useDrop } from "./useDrop";

/** Two presses of Escape within this time stop the turn. */
const ESCAPES_MS = 900;
const MAC = navigator.userAgent.includes("Mac");

export function Composer({ threadId, cwd: newCwd }: { threadId?: ThreadId; cwd?: string }) {
  const key = draftKey(threadId, newCwd);
  const draft = useDraft(key);
  const wanted = useDrafts((it) => it.wanted);
  const thread = useStore((it) => (threadId === undefined ? undefined : it.threads[threadId]?.summary));
  const busy = useStore((it) => isBusy(threadId === undefined ? undefined : it.threads[threadId]));
  const cwd = newCwd ?? thread?.cwd;
  const settings = useRunsWith(threadId, draft.settings);
  const field = useRef<HTMLTextAreaElement>(null);
  const model = useRef<HTMLButtonElement>(null);
  const [caret, setCaret] = useState(0);
  const [renaming, setRenaming] = useState(false);
  const escaped = useRef(Number.NEGATIVE_INFINITY);
  const [hint, setHint] = useState(false);
  const listId = useId();
  const t = useWords(strings);

  const setText = useCallback((text: string) => changeDraft(key, { text }), [key]);
  const attach = useCallback((more: Attachment[]) => {
    const { attachments } = draftOf(key);
    const known = new Set(attachments.map((it) => it.path));
    changeDraft(key, { attachments: [...attachments, ...more.filter((it) => !known.has(it.path))] });
  }, [key]);
  const attachPaths = useCallback(async (paths: string[]) => {
    if (paths.length > 0) await host.ask("attachment/check", { paths }).then(attach, tellFailure);
  }, [attach]);
  const dropping = useDrop(attachPaths);

  useLayoutEffect(() => {
    if (field.current !== null) fitHeight(field.current);
  }, [draft.text]);

  useEffect(() => {
    const it = field.current;
    if (it === null) return;
    let width = it.clientWidth;
    // Another width breaks the lines elsewhere; a window that is not shown yet has none.
    const watch = new ResizeObserver(() => {
      if (it.clientWidth === width) return;
      width = it.clientWidth;
      fitHeight(it);
    });
    watch.observe(it);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const it = field.current;
    if (it === null) return;
    it.focus({ preventScroll: true });
    it.setSelectionRange(it.value.length, it.value.length);
  }, [key, wanted]);

  const send = (modified: boolean) => {
    setHint(false);
    void submit(submitKind({ busy, editing: draft.editing !== undefined, modified }), threadId, cwd);
  };
  const stop = () => {
    if (threadId !== undefined) void host.ask("turn/interrupt", { threadId }).catch(tellFailure);
  };

  const choose = (suggestion: Suggestion) => {
    if (suggestion.type === "command") {
      setText("");
      if (suggestion.name === "rename") setRenaming(true);
      else if (suggestion.name === "model") model.current?.click();
      else void run(suggestion.name, threadId, cwd, t);
      return;
    }
    const next = complete(draft.text, suggestion.start, caret, suggestion.path);
    setText(next.text);
    // The caret can be set once the field has the text.
    requestAnimationFrame(() => {
      field.current?.setSelectionRange(next.caret, next.caret);
      setCaret(next.caret);
    });
  };
  const suggestions = useSuggestions(draft.text, caret, cwd, threadId !== undefined);

  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
    if (suggestions.onKey(event, choose)) return true;
    if (event.key === "Escape" && busy) {
      const twice = event.timeStamp - escaped.current < ESCAPES_MS;
      escaped.current = event.timeStamp;
      setHint(!twice);
      if (twice) stop();
      return true;
    }
    if (event.key === "Escape" && draft.editing !== undefined) {
      clearDraft(key);
      return true;
    }
    if (event.key === "ArrowUp" && draft.text === "" && threadId !== undefined) return editLast(threadId);
    return false;
  };
  const enter = useEnterSubmit<HTMLTextAreaElement>((event) => {
    const first = suggestions.chosen();
    if (first !== undefined) choose(first);
    else send(event.ctrlKey || event.metaKey);
  }, onKey);

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    const text = event.clipboardData.getData("text/plain");
    if (files.length > 0) {
      event.preventDefault();
      void pasteFiles(files, t("pastedImage")).then(attach, tellFailure);
    } else if (isLong(text)) {
      event.preventDefault();
      void pasteFiles([new File([text], `${t("pastedText")}.txt`)], t("pastedText")).then(attach, tellFailure);
    }
  };

  const empty = draft.text.trim() === "" && draft.attachments.length === 0;
  const label = draft.editing !== undefined || !busy ? t("send") : t("queue");
  const steerKeys = MAC ? "⌘⏎" : "Ctrl+⏎";
  return (
    <div className={css.outer}>
      {threadId !== undefined && <Queue threadId={threadId} />}
      <div className={css.composer} data-dropping={dropping || undefined}>
        {draft.editing !== undefined && (
          <div className={css.editing}><span>{t("editing")}</span><Button small tone="quiet" onClick={() => clearDraft(key)}>{t("cancel")}</Button></div>
        )}
        {draft.attachments.length > 0 && (
          <ul className={css.chips} aria-label={t("attachments")}>
            {draft.attachments.map((it) => (
              <li key={it.path} data-testid="attachment-chip">
                <AttachmentLabel attachment={it} />
                <IconButton
                  small label={t("removeAttachment", { name: it.name })} icon={<X />}
                  onClick={() => changeDraft(key, { attachments: draft.attachments.filter((other) => other.path !== it.path) })}
                />
              </li>
            ))}
          </ul>
        )}
        <Suggestions id={listId} state={suggestions} onChoose={choose} />
        <textarea
          ref={field} rows={1} className={css.field} data-testid="composer-input" aria-label={t("composer")}
          placeholder={busy ? t("placeholderRunning", { keys: steerKeys }) : t("placeholder")}
          aria-autocomplete="list" aria-controls={suggestions.open ? listId : undefined} aria-activedescendant={suggestions.open ? `${listId}-${String(suggestions.at)}` : undefined}
          value={draft.text}
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onPaste={onPaste}
          {...enter}
        />
        <div className={css.bar}>
          <IconButton label={t("attach")} icon={<Paperclip />} onClick={() => void host.shell("host/pickFiles", {}).then(attachPaths, tellFailure)} />
          <Selectors settings={settings} modelRef={model} onChange={(patch) => changeSettings(threadId, key, patch)} />
          {threadId !== undefined && <Meter threadId={threadId} />}
          {busy && !empty && draft.editing === undefined && <IconButton label={t("steer")} shortcut={steerKeys} icon={<CornerDownLeft />} onClick={() => send(true)} />}
          {busy && <IconButton label={t("stop")} shortcut="Esc Esc" icon={<Square fill="currentColor" />} data-testid="stop-button" onClick={stop} />}
          {(!busy || !empty) && <IconButton label={label} shortcut="⏎" tone="accent" icon={<ArrowUp />} disabled={empty} data-testid="send-button" onClick={() => send(false)} />}
        </div>
        {dropping && <div className={css.drop}>{t("dropHere")}</div>}
      </div>
      <p className={css.hint} role="status">{hint && busy ? t("stopAgain") : ""}</p>
      {renaming && thread !== undefined && <Rename thread={thread} onClose={() => setRenaming(false)} />}
    </div>
  );
}

/** What the next turn runs with: the thread's settings, or what a new thread would have. */
function useRunsWith(threadId: ThreadId | undefined, chosen: ThreadSettingsPatch | undefined): Partial<ThreadSettings> {
  const own = useStore((it) => (threadId === undefined ? undefined : it.threads[threadId]?.summary.settings));
  const settings = useStore((it) => it.settings);
  if (own !== undefined) return own;
  return {
    provider: settings?.provider.value ?? undefined,
    model: settings?.model.value ?? undefined,
    effort: settings?.effort.value ?? undefined,
    sandbox: settings?.sandbox.value,
    approval: settings?.approval.value,
    ...chosen,
  };
}

function changeSettings(threadId: ThreadId | undefined, key: string, patch: ThreadSettingsPatch): void {
  if (threadId === undefined) changeDraft(key, { settings: { ...draftOf(key).settings, ...patch } });
  else void host.ask("thread/settings", { threadId, settings: patch }).catch(tellFailure);
}

function editLast(threadId: ThreadId): boolean {
  const turns = useStore.getState().threads[threadId]?.turns ?? [];
  for (const turn of turns.toReversed()) {
    const prompt = turn.items.find((item) => item.type === "userMessage");
    if (prompt?.type === "userMessage") {
      editPrompt(threadId, turn.id, prompt);
      return true;
    }
  }
  return false;
}

async function pasteFiles(files: File[], name: string): Promise<Attachment[]> {
  return Promise.all(files.map(async (file) => {
    const ending = file.type.startsWith("image/") ? file.type.slice("image/".length) : "bin";
    return host.ask("attachment/paste", { name: file.name === "" ? `${name}.${ending}` : file.name, base64: await base64Of(file) });
  }));
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === "string" ? reader.result.replace(/^[^,]*,/, "") : "");
    reader.onerror = () => reject(reader.error ?? new Error("the file could not be read"));
    reader.readAsDataURL(file);
  });
}

/** The height of the content is only known to a field that is not higher than it. */
function fitHeight(field: HTMLTextAreaElement): void {
  field.style.height = "auto";
  field.style.height = `${String(field.scrollHeight)}px`;
}
