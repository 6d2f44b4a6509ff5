// Writes one document of about a megabyte, as people would who type here and there, under several names.
import * as Y from "yjs";
import { heard, say, settings } from "./talk.mjs";
import { open, pause } from "./stock.mjs";

const { place, names, bytes } = settings;
const UPDATES = 1000;
const WORD = "a word or two, typed ";

// mulberry32: small, and the same everywhere.
let state = 20251121;
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let it = Math.imul(state ^ (state >>> 15), 1 | state);
  it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it;
  return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32;
};

const story = new Y.Doc();
const updates = [];
story.on("update", (update) => updates.push(update));
const text = story.getText("text");
const each = Math.ceil(bytes / UPDATES / (WORD.length + 12));
for (let update = 0; update < UPDATES; update++) {
  story.transact(() => {
    for (let word = 0; word < each; word++) text.insert(Math.floor(random() * (text.length + 1)), WORD);
  });
}
for (const name of names) {
  const writer = await open(place, name);
  for (const update of updates) {
    // As an edit of its own: a provider sends what others than itself applied.
    Y.applyUpdate(writer.doc, update, "story");
    while (writer.socket.bufferedAmount > 0) await pause(1);
  }
  const late = await open(place, name);
  while (late.doc.getText("text").length < text.length) await pause(20);
  late.close();
  writer.close();
}
say({ bytes: Y.encodeStateAsUpdate(story).length, letters: text.length });
await heard();
