// Fifty stock clients of three generations write into four documents, go offline and come back, beside readers that are slow
// or stop. Ends when all of them show the same, and says what happened in one line of JSON.
// Usage: node swarm.mjs <ws://…/docs> <seed>
import WebSocket from "ws";
import * as Y from "yjs";
import { WebsocketProvider as Newest } from "y-websocket";
import { WebsocketProvider as First } from "y-websocket-1";
import { WebsocketProvider as Second } from "y-websocket-2";

const [, , base, seed] = process.argv;
const CLIENTS = 50;
const DOCUMENTS = 4;
const ROUNDS = 60;
const PATIENCE_MS = 60_000;

// mulberry32: small, and the same everywhere.
let state = Number(seed) >>> 0;
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let it = Math.imul(state ^ (state >>> 15), 1 | state);
  it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it;
  return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32;
};
const below = (end) => Math.floor(random() * end);

const signedIn = (name) =>
  class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { headers: { "x-domain-user": name } });
    }
  };

const room = (index) => `room-${index % DOCUMENTS}`;

const clients = Array.from({ length: CLIENTS }, (_, index) => {
  const doc = new Y.Doc();
  const Provider = [Newest, Second, First][index % 3];
  const provider = new Provider(base, room(index), doc, {
    WebSocketPolyfill: signedIn("ada"),
    disableBc: true,
  });
  provider.awareness.setLocalStateField("user", { name: "root", color: "red" });
  return { doc, provider };
});

// Raw sockets that were greeted and then read a little now and then, or nothing at all.
const reader = (index) =>
  new Promise((resolve, reject) => {
    const socket = new (signedIn("ada"))(`${base}/${room(index)}`);
    const it = { socket, code: null };
    socket.once("open", () => resolve(it));
    socket.once("error", reject);
    socket.on("close", (code) => (it.code = code));
  });
const slow = await reader(0);
const stopped = await reader(1);
stopped.socket._socket.pause();

const edit = (doc) => {
  const text = doc.getText("text");
  const list = doc.getArray("list");
  const map = doc.getMap("map");
  switch (below(6)) {
    case 0:
    case 1:
      text.insert(below(text.length + 1), `w${below(1000)} 👋 `);
      break;
    case 2:
      if (text.length > 10) text.delete(below(text.length - 5), 1 + below(4));
      break;
    case 3:
      list.insert(below(list.length + 1), [below(1000), "x"]);
      break;
    case 4:
      if (list.length > 0) list.delete(below(list.length), 1);
      break;
    default:
      map.set(`key-${below(20)}`, { at: below(1000) });
  }
};

const turn = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const within = async (what, so) => {
  const end = Date.now() + PATIENCE_MS;
  while (!so()) {
    if (Date.now() > end) {
      console.log(JSON.stringify({ failed: what }));
      process.exit(1);
    }
    await turn(20);
  }
};

await within("all are there at first", () => clients.every((it) => it.provider.synced));
let edits = 0;
let breaks = 0;
for (let round = 0; round < ROUNDS; round++) {
  slow.socket._socket[round % 10 === 0 ? "resume" : "pause"]();
  for (const { doc, provider } of clients) {
    if (random() < 0.03) {
      provider.shouldConnect ? provider.disconnect() : provider.connect();
      breaks += 1;
    }
    if (random() < 0.5) {
      edit(doc);
      edits += 1;
    }
  }
  await turn(10);
}
for (const { provider } of clients) provider.connect();
slow.socket._socket.resume();

const shown = (doc) =>
  JSON.stringify([doc.getText("text").toDelta(), doc.getArray("list").toJSON(), sorted(doc.getMap("map").toJSON())]);
const sorted = (map) => Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1));
const same = () =>
  clients.every((it, index) => it.provider.synced && shown(it.doc) === shown(clients[index % DOCUMENTS].doc));
await within("all show the same", same);

// Whoever comes now is shown the same, from the disk or from memory.
for (let index = 0; index < DOCUMENTS; index++) {
  const doc = new Y.Doc();
  const provider = new Newest(base, room(index), doc, { WebSocketPolyfill: signedIn("ada"), disableBc: true });
  await within("a late one is there", () => provider.synced);
  if (shown(doc) !== shown(clients[index].doc)) {
    console.log(JSON.stringify({ failed: `a late one is shown something else in ${room(index)}` }));
    process.exit(1);
  }
  provider.destroy();
}
const names = new Set();
for (const { provider } of clients) {
  for (const [client, it] of provider.awareness.getStates()) {
    if (client !== provider.awareness.clientID) names.add(it.user?.name);
  }
}
console.log(JSON.stringify({ edits, breaks, names: [...names], slow: slow.code, stopped: stopped.code }));
process.exit(0);
