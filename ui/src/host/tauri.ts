// The desktop window as host: two commands, `request` and `follow`.
import { Channel, invoke } from "@tauri-apps/api/core";

import type { Frame, HostEvent, Topic } from "../protocol";
import { asFailure, type Host } from "./types";

const RECONNECT_MS = 1000;

async function request(method: string, params: unknown): Promise<unknown> {
  try {
    return await invoke("request", { request: { method, params } });
  } catch (thrown) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the engine's own error value is the contract of `ask`
    throw asFailure(thrown);
  }
}

let lastKey = 0;

/** Opens a follower in the shell under a key of its own and opens it again from `nextSeq` when that fails. */
function open<T>(topic: () => unknown, onMessage: (message: T) => void): () => void {
  lastKey += 1;
  // A reload starts counting anew; the start time keeps its keys apart from those of the page before.
  const key = `${String(performance.timeOrigin)}-${String(lastKey)}`;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const connect = () => {
    const channel = new Channel<T>();
    channel.onmessage = (message) => {
      if (!stopped) onMessage(message);
    };
    invoke("follow", { key, topic: topic(), channel }).catch(() => {
      if (!stopped) timer = setTimeout(connect, RECONNECT_MS);
    });
  };
  connect();

  return () => {
    stopped = true;
    clearTimeout(timer);
    // The window may be closing: then nobody is left to tell.
    invoke("follow", { key, topic: null, channel: new Channel() }).catch(() => undefined);
  };
}

function follow(topic: Topic, onFrame: (frame: Frame) => void): () => void {
  let after = topic.type === "thread" ? topic.after : 0;
  return open<Frame>(
    () => (topic.type === "thread" ? { ...topic, after } : topic),
    (frame) => {
      after = Math.max(after, frame.nextSeq);
      onFrame(frame);
    },
  );
}

const listeners = new Set<(event: HostEvent) => void>();
let stopListening: (() => void) | undefined;

/** The window tells its news to one follower, the newest, so everybody on the page shares that one. */
function onHostEvent(listen: (event: HostEvent) => void): () => void {
  listeners.add(listen);
  stopListening ??= open<HostEvent>(
    () => ({ type: "host" }),
    (event) => {
      for (const it of listeners) it(event);
    },
  );
  return () => {
    listeners.delete(listen);
    if (listeners.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  };
}

export const tauriHost: Host = {
  ask: request as Host["ask"],
  shell: request as Host["shell"],
  follow,
  onHostEvent,
};
