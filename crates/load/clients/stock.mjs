// Stock clients of both servers behind one word. A place is {"kind": "zspark" | "hocuspocus", "url": "ws://…"}.
import WebSocket from "ws";
import * as Y from "yjs";
import { WebsocketProvider } from "y-websocket";
import { HocuspocusProvider } from "@hocuspocus/provider";

// Of the messages on the wire.
const SYNC = 0;
const STEP_2 = 1;
const UPDATE = 2;
/** zspark's own: so many of what this client sent are on the disk. */
const STORED = 121;
/** And its greeting, which says nothing that matters here. */
const HELLO = 120;

/**
 * Opens a document and answers when it is synced. `Socket` is what the client's websocket is made from; `acknowledged` is
 * told how many of the client's edits the server has acknowledged.
 */
export const open = async (place, name, { doc = new Y.Doc(), Socket = WebSocket, acknowledged } = {}) => {
  const client = { doc, socket: undefined, awareness: undefined, close: undefined };
  const Signed = class extends Socket {
    constructor(url, protocols) {
      super(url, protocols, { headers: { "x-domain-user": "load" } });
      client.socket = this;
    }
  };
  const start = place.kind === "zspark" ? openZspark : openHocuspocus;
  await start(client, place.url, name, Signed, acknowledged);
  return client;
};

const openZspark = (client, url, name, Signed, acknowledged) => {
  const sent = [];
  const provider = new WebsocketProvider(url, name, client.doc, {
    WebSocketPolyfill: acknowledged ? noting(Signed, sent) : Signed,
    disableBc: true,
    connect: false,
    params: acknowledged ? { acks: "1" } : {},
  });
  client.close = () => provider.destroy();
  client.awareness = provider.awareness;
  provider.messageHandlers[HELLO] = () => {};
  provider.messageHandlers[STORED] = (_encoder, decoder) =>
    acknowledged(sent.slice(0, number(decoder)).filter((step) => step === UPDATE).length);
  return new Promise((resolve) => {
    provider.once("sync", resolve);
    provider.connect();
  });
};

/** Notes each message that the server counts: what a client had before, and its edits. */
const noting = (Signed, sent) =>
  class extends Signed {
    send(data, ...rest) {
      if (data[0] === SYNC && (data[1] === STEP_2 || data[1] === UPDATE)) sent.push(data[1]);
      super.send(data, ...rest);
    }
  };

/** lib0's variable-length number. */
const number = (decoder) => {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = decoder.arr[decoder.pos++];
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
};

const openHocuspocus = (client, url, name, Signed, acknowledged) => {
  let edits = 0;
  // Before the provider's own, so that an edit is counted when the provider says how many are not acknowledged.
  client.doc.on("update", (_update, _origin, _doc, { local }) => {
    if (local) edits += 1;
  });
  return new Promise((resolve) => {
    const provider = new HocuspocusProvider({
      url,
      name,
      document: client.doc,
      WebSocketPolyfill: Signed,
      onSynced: resolve,
      onUnsyncedChanges: ({ number }) => acknowledged?.(Math.max(0, edits - number)),
    });
    client.close = () => provider.destroy();
    client.awareness = provider.awareness;
  });
};

/** The next `ms`, or the next turn of this process. */
export const pause = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** Opens many, some at a time: servers bound how many may be at the door. */
export const openAll = async (count, one) => {
  const clients = [];
  for (let at = 0; at < count; at += 25) {
    const some = Array.from({ length: Math.min(25, count - at) }, (_, index) => one(at + index));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
};
