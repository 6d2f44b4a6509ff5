// What the page may ask of the world outside it. Two hosts implement this: the window (tauri.ts) and the mock.
import type { Failure, Frame, HostEvent, HostInfo, HostRequest, Methods, Preview, Topic } from "../protocol";

/** Answers of the window, by method. */
export interface HostAnswers {
  "host/info": HostInfo;
  "host/pickFolder": string | null;
  "host/pickFiles": string[];
  "host/pickSave": string | null;
  "host/openArtifact": unknown;
  "host/revealArtifact": unknown;
  "host/openFolder": unknown;
  "host/openUrl": unknown;
  "host/preview": Preview;
  "host/ready": unknown;
}

type HostParams<M extends HostRequest["method"]> = Extract<HostRequest, { method: M }>["params"];

export interface Host {
  /** Asks the engine. Rejects with a `Failure`. */
  ask<M extends keyof Methods>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["answer"]>;
  /** Asks the window. Rejects with a `Failure`. */
  shell<M extends HostRequest["method"]>(method: M, params: HostParams<M>): Promise<HostAnswers[M]>;
  /** Follows a topic until the returned function is called. Reconnects by itself from the last `nextSeq`. */
  follow(topic: Topic, onFrame: (frame: Frame) => void): () => void;
  /** News from the window: drops, a second start, a clicked notification. */
  onHostEvent(listen: (event: HostEvent) => void): () => void;
}

const CODES: Failure["code"][] = [
  "invalidRequest", "notFound", "conflict", "configBroken", "noProvider", "unauthorized", "unreachable", "notAProvider",
  "noSuchModel", "rateLimited", "quotaExceeded", "contentRefused", "contextOverflow", "providerFailed", "folderUnusable",
  "diskFull", "tooLarge", "sandboxUnavailable", "secretsUnavailable", "storeDamaged", "interrupted", "internal",
];

/** Whatever was thrown, as the one kind of error that screens show. */
export function asFailure(thrown: unknown): Failure {
  if (thrown !== null && typeof thrown === "object" && "code" in thrown && "message" in thrown) {
    const code = CODES.find((known) => known === thrown.code);
    if (code !== undefined && typeof thrown.message === "string") {
      return thrown as Failure;
    }
  }
  return { code: "internal", message: thrown instanceof Error ? thrown.message : String(thrown) };
}
