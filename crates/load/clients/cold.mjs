// For each name that is heard: how long it takes until the whole document has arrived, in milliseconds. What the client then
// makes of it is not counted: it is the same for both.
import WebSocket from "ws";
import { heard, say, settings } from "./talk.mjs";
import { open, pause } from "./stock.mjs";

for (;;) {
  const { name } = await heard();
  let start;
  let arrived;
  const Timed = class extends WebSocket {
    constructor(...rest) {
      start ??= performance.now();
      super(...rest);
      // Before the client's own, which takes it in. Servers keep other packets small.
      this.on("message", (data) => {
        if (data.byteLength > 1000) arrived = performance.now();
      });
    }
  };
  const client = await open(settings.place, name, { Socket: Timed });
  // It may come in several pieces.
  while (client.doc.getText("text").length < settings.letters) await pause(1);
  client.close();
  say({ ms: arrived - start });
}
