// A host without an engine, for development and for tests in a browser. `?scene=`, `&theme=`, `&lang=`, `&density=` choose what it shows.
import type { Artifact, ArtifactEntry, ArtifactRef, Attachment, Failure, Frame, HostEvent, Input, Methods, ThreadSummary } from "../protocol";
import { contentOf } from "./mock/files";
import { HOME, mockHome } from "./mock/home";
import { scene, settings as threadSettings, summary } from "./mock/scenes";
import { MockThread, newId } from "./mock/thread";
import { runTurn } from "./mock/turns";
import type { Host, HostAnswers } from "./types";

type Handlers = { [M in keyof Methods]: (params: Methods[M]["params"]) => Methods[M]["answer"] | Promise<Methods[M]["answer"]> };

function fail(code: Failure["code"], message: string): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the engine rejects with
  throw { code, message } satisfies Failure;
}

export function mockHost(query = new URLSearchParams(location.search)): Host {
  const home = mockHome(query);
  const threads = new Map<string, MockThread>();
  const homeFollowers = new Set<(frame: Frame) => void>();
  const listeners = new Set<(event: HostEvent) => void>();

  const tellHome = (part: Partial<Frame>) => {
    for (const follower of homeFollowers) follower({ events: [], live: [], threads: [], removed: [], nextSeq: 0, ...part });
  };
  const onChange = (changed: ThreadSummary) => tellHome({ threads: [changed] });
  for (const thread of scene(query.get("scene") ?? "all", onChange)) threads.set(thread.summary.id, thread);

  const thread = (id: string): MockThread => threads.get(id) ?? fail("notFound", "This thread is gone.");
  const saveSettings = () => {
    tellHome({ settings: home.settings });
    return { ...home.settings };
  };
  const begin = (it: MockThread, input: Input, id: string) => void runTurn(it, input, id, attachmentsOf(input)).then(() => {
    const next = it.queue[0];
    if (next !== undefined) {
      it.append({ type: "inputDequeued", id: next.id });
      begin(it, next.input, next.id);
    }
  });

  const handlers: Handlers = {
    "thread/start": ({ cwd, settings }) => {
      const started = new MockThread({ ...summary("", cwd, 0), settings: { ...threadSettings, ...settings } }, Date.now, onChange);
      threads.set(started.summary.id, started);
      return started.summary;
    },
    "thread/list": ({ archived }) => [...threads.values()].map((it) => it.summary).filter((it) => it.archived === archived),
    "thread/read": ({ threadId, before, reach }) => thread(threadId).page(before, reach),
    "thread/outline": ({ threadId }) => thread(threadId).outline(),
    "thread/fork": ({ threadId, beforeTurn }) => {
      const from = thread(threadId);
      const end = beforeTurn === undefined ? from.events.length : from.events.findIndex((it) => it.type === "turnStarted" && it.turnId === beforeTurn);
      const forked = new MockThread({ ...summary(from.summary.title, from.summary.cwd, 0), forkedFrom: { threadId, seq: end } }, Date.now, onChange);
      forked.append(...from.events.slice(1, end));
      threads.set(forked.summary.id, forked);
      return forked.summary;
    },
    "thread/rename": ({ threadId, title }) => done(thread(threadId).append({ type: "threadRenamed", title })),
    "thread/pin": ({ threadId, pinned }) => done(thread(threadId).append({ type: "threadPinned", pinned })),
    "thread/archive": ({ threadId, archived }) => done(thread(threadId).append({ type: "threadArchived", archived })),
    "thread/delete": ({ threadId }) => {
      bin.set(threadId, thread(threadId));
      threads.delete(threadId);
      tellHome({ removed: [threadId] });
      return {};
    },
    "thread/restore": ({ threadId }) => {
      const kept = bin.get(threadId) ?? fail("notFound", "This thread is gone.");
      threads.set(threadId, kept);
      onChange(kept.summary);
      return kept.summary;
    },
    "thread/search": ({ query: text }) => [...threads.values()].flatMap((it) => hits(it, text)),
    "thread/settings": ({ threadId, settings }) => {
      const it = thread(threadId);
      it.append({ type: "settingsChanged", settings: { ...it.summary.settings, ...settings } });
      return it.summary;
    },
    "turn/start": ({ threadId, input }) => {
      const it = thread(threadId);
      const itemId = newId("item");
      if (it.summary.status !== "idle") {
        it.append({ type: "inputQueued", queued: { id: itemId, input } });
        return { itemId };
      }
      begin(it, input, itemId);
      const last = it.outline().at(-1);
      return { itemId, turnId: last?.id };
    },
    "turn/steer": ({ threadId, input }) => {
      const it = thread(threadId);
      const turnId = it.outline().at(-1)?.id ?? "";
      it.append({
        type: "itemCompleted", turnId,
        item: { id: newId("item"), status: "completed", startedMs: Date.now(), endedMs: Date.now(), type: "userMessage", text: input.text, attachments: attachmentsOf(input), steer: true },
      });
      return {};
    },
    "turn/interrupt": ({ threadId }) => done(thread(threadId).stop?.abort()),
    "turn/changes": ({ threadId, turnId }) => changesOf(thread(threadId), turnId),
    "turn/undo": ({ threadId, turnId, paths, force }) => !force && edited.length > 0 ? fail("conflict", "The file was edited after the agent changed it.") : revert(thread(threadId), turnId, paths, false),
    "turn/redo": ({ threadId, turnId, paths }) => revert(thread(threadId), turnId, paths, true),
    "queue/remove": ({ threadId, id }) => done(thread(threadId).append({ type: "inputDequeued", id })),
    "approval/decide": ({ threadId, approvalId, decision }) => done(thread(threadId).decide(approvalId, decision)),
    "rule/list": () => [...home.rules],
    "rule/save": ({ id, draft }) => {
      const rule = { id: id ?? newId("rule"), createdMs: Date.now(), origin: "person", matched: 0, ...draft };
      home.rules = [...home.rules.filter((it) => it.id !== rule.id), rule];
      return rule;
    },
    "rule/delete": ({ id }) => done((home.rules = home.rules.filter((it) => it.id !== id))),
    "rule/test": ({ command }) => {
      const rule = home.rules.find((it) => it.subject.type === "commandPrefix" && command.startsWith(it.subject.prefix.join(" ")));
      return rule === undefined ? { type: "asks" } : { type: rule.effect === "allow" ? "allowed" : "denied", ruleId: rule.id };
    },
    "file/search": ({ query: text }) => FILES.filter((path) => path.includes(text)).map((path) => {
      const at = path.indexOf(text);
      return { path, folder: !path.includes("."), matched: Array.from({ length: text.length }, (_, i) => at + i) };
    }),
    "folder/check": () => ({ usable: true, writable: true, git: true }),
    "attachment/check": ({ paths }) => paths.map(attachmentOf),
    "attachment/paste": ({ name, base64 }) => ({
      name, path: `${HOME}/.zspark/pasted/${name}`, mediaType: name.endsWith(".png") ? "image/png" : "text/plain",
      size: Math.floor((base64.length * 3) / 4), delivery: name.endsWith(".png") ? "image" : "inline",
    }),
    "artifact/list": ({ threadId }) => artifactsOf(thread(threadId)),
    "artifact/read": ({ artifact }) => {
      const { name } = artifactOf(thread(artifact.threadId), artifact);
      return { text: contentOf(name, artifact.version), truncated: false, binary: name.endsWith(".pdf") };
    },
    "artifact/save": () => ({}),
    "output/read": ({ threadId, blob, line, limit, query: text }) => {
      const lines = thread(threadId).outputs.get(blob) ?? fail("notFound", "This output is gone.");
      const at = text === undefined ? line : lines.findIndex((it, i) => i >= line && it.includes(text));
      return { line: Math.max(0, at), lines: at < 0 ? [] : lines.slice(at, at + limit), total: lines.length, exhausted: at < 0 };
    },
    "setting/read": () => home.settings,
    "setting/write": ({ patch }) => {
      for (const [key, value] of Object.entries(patch)) {
        Object.assign(home.settings, { [key]: { value: value, origin: { type: "user", path: `${HOME}/.zspark/config.toml` } } });
      }
      return saveSettings();
    },
    "provider/save": ({ draft }) => {
      const { apiKey, model, ...rest } = draft;
      const id = draft.id ?? draft.name.toLowerCase();
      const provider = { ...rest, id, builtIn: false, key: apiKey === undefined ? { type: "notNeeded" as const } : { type: "stored" as const, store: "Keychain" } };
      home.settings.providers = [provider, ...home.settings.providers.filter((it) => it.id !== id)];
      if (model !== undefined) {
        home.settings.provider = { value: id, origin: { type: "user", path: "" } };
        home.settings.model = { value: model, origin: { type: "user", path: "" } };
      }
      return saveSettings();
    },
    "provider/delete": ({ id }) => {
      home.settings.providers = home.settings.providers.filter((it) => it.id !== id);
      return saveSettings();
    },
    "provider/test": async ({ draft }) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return draft.apiKey === "wrong"
        ? { ok: false, models: [], failure: { code: "unauthorized", message: "The provider refused the key.", hint: "Check that the key is complete and not expired.", details: "401 Unauthorized" } }
        : { ok: true, firstWordMs: 412, models: [{ id: "spark-large" }, { id: "spark-small" }] };
    },
    "provider/models": ({ id }) => home.models.filter((it) => id === undefined || it.provider.id === id),
    "provider/discover": () => [{ name: "Ollama", baseUrl: "http://localhost:11434/v1", wireApi: "chat", models: [{ id: "qwen3-coder:30b" }] }],
    "doctor/run": () => [
      { name: "Sandbox", state: "ok", message: "Landlock and seccomp work." },
      { name: "Keyring", state: "warning", message: "There is no keyring; keys are kept in an encrypted file.", hint: "Install gnome-keyring to use the system's." },
    ],
  };

  const answers: { [M in keyof HostAnswers]: (params: unknown) => HostAnswers[M] } = {
    "host/info": () => ({ version: "0.1.0", platform: "linux", locale: navigator.language, home: `${HOME}/.zspark`, folder: query.get("folder") ?? undefined }),
    "host/pickFolder": () => `${HOME}/code/harbour`,
    "host/pickFiles": () => [`${HOME}/Documents/plan.pdf`, `${HOME}/Pictures/quay.png`],
    "host/pickSave": () => `${HOME}/Downloads/report.md`,
    "host/openArtifact": () => null,
    "host/revealArtifact": () => null,
    "host/openFolder": () => null,
    "host/openUrl": () => null,
    "host/preview": (params) => {
      const { artifact: wanted } = params as { artifact: ArtifactRef };
      const { name, mediaType } = artifactOf(thread(wanted.threadId), wanted);
      return { url: URL.createObjectURL(new Blob([contentOf(name, wanted.version)], { type: mediaType })) };
    },
    "host/ready": () => null,
  };
  const bin = new Map<string, MockThread>();

  // Browser tests play the window: drops and clicks on notifications.
  Object.assign(globalThis, { mockEvent: (event: HostEvent) => listeners.forEach((listen) => listen(event)) });

  return {
    ask: async (method, params) => {
      await Promise.resolve();
      return structuredClone(await handlers[method](params));
    },
    shell: async (method, params) => {
      await Promise.resolve();
      return answers[method](params);
    },
    follow: (topic, onFrame) => {
      if (topic.type === "home") {
        homeFollowers.add(onFrame);
        return () => homeFollowers.delete(onFrame);
      }
      return threads.get(topic.threadId)?.follow(topic.after, onFrame) ?? (() => undefined);
    },
    onHostEvent: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
}

const FILES = ["src", "src/arrivals.ts", "src/arrivals.test.ts", "src/berths.ts", "docs/quay-plan.png", "README.md", "package.json", "文档/说明.md"];

function done(_: unknown): Record<symbol, never> {
  return {};
}

function artifactsOf(thread: MockThread): ArtifactEntry[] {
  const entries = new Map<string, ArtifactEntry>();
  for (const event of thread.events) {
    if (event.type !== "itemCompleted" || event.item.type !== "artifact") continue;
    const { artifact } = event.item;
    const before = entries.get(artifact.id)?.versions ?? [];
    const version = { version: artifact.version, turnId: event.turnId, size: artifact.size, hash: artifact.hash, atMs: event.atMs };
    entries.delete(artifact.id);
    entries.set(artifact.id, { artifact, versions: [...before, version] });
  }
  return [...entries.values()].reverse();
}

function artifactOf(thread: MockThread, wanted: ArtifactRef): Artifact {
  return artifactsOf(thread).find((it) => it.artifact.id === wanted.artifactId)?.artifact ?? fail("notFound", "This file is gone.");
}

function attachmentOf(path: string): Attachment {
  const name = path.split("/").at(-1) ?? path;
  const image = /\.(png|jpe?g|webp)$/.test(name);
  return { name, path, mediaType: image ? "image/png" : name.includes(".") ? "text/plain" : "inode/directory", size: 20_480, delivery: image ? "image" : "path" };
}

function attachmentsOf(input: Input): Attachment[] {
  return input.attachments.map(attachmentOf);
}

/** Ends of paths that count as edited since. */
const edited = new URLSearchParams(globalThis.location.search).getAll("edited");

function changesOf(thread: MockThread, turnId?: string) {
  const undone = new Set<string>();
  const changes = thread.events.flatMap((event) => {
    if (event.type === "changesReverted") for (const path of event.paths) {
      if (event.redo) undone.delete(path);
      else undone.add(path);
    }
    return event.type === "itemCompleted" && event.item.type === "fileChange" && (turnId === undefined || event.turnId === turnId) ? event.item.changes : [];
  });
  return changes.map((change) => ({ change, undone: undone.has(change.path), modifiedSince: edited.some((end) => change.path.endsWith(end)) && !undone.has(change.path) }));
}

function revert(thread: MockThread, turnId: string, paths: string[] | undefined, redo: boolean) {
  const all = paths ?? changesOf(thread, turnId).map((it) => it.change.path);
  thread.append({ type: "changesReverted", turnId, paths: all, redo });
  return changesOf(thread, turnId);
}

function hits(thread: MockThread, text: string) {
  const mark = (whole: string) => {
    const at = whole.toLowerCase().indexOf(text.toLowerCase());
    return at < 0 ? undefined : `${whole.slice(Math.max(0, at - 30), at)}\u0002${whole.slice(at, at + text.length)}\u0003${whole.slice(at + text.length, at + 80)}`;
  };
  const title = mark(thread.summary.title);
  const found = title === undefined ? [] : [{ thread: thread.summary, snippet: title }];
  for (const event of thread.events) {
    if (event.type !== "itemCompleted" || (event.item.type !== "agentMessage" && event.item.type !== "userMessage")) continue;
    const snippet = mark(event.item.text);
    if (snippet !== undefined) return [...found, { thread: thread.summary, seq: event.seq, itemId: event.item.id, snippet }];
  }
  return found;
}
