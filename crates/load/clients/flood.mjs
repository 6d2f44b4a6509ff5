// One client that replaces a large value again and again, as fast as the server takes it.
import { randomBytes } from "node:crypto";
import { heard, say, settings } from "./talk.mjs";
import { open, pause } from "./stock.mjs";

const WARMING = 50;
const { place, name, updates, bytes } = settings;
const writer = await open(place, name);
const flood = writer.doc.getMap("flood");
const write = async (count) => {
  for (let update = 1; update <= count; update++) {
    writer.doc.transact(() => {
      flood.set("value", new Uint8Array(randomBytes(bytes)));
      flood.set("count", update);
    });
    while (writer.socket.bufferedAmount > 4 * bytes) await pause(1);
  }
};
// What a server does only once is done by then.
await write(WARMING);
say({ ready: true });
await heard();
await write(updates);
// Whoever comes now and is shown the last one was sent it after all the others.
const late = await open(place, name);
while (late.doc.getMap("flood").get("count") !== updates) await pause(5);
say({ sent: updates * bytes });
await heard();
