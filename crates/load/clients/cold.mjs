// For each name that is heard: how long it takes until the whole document has arrived, in milliseconds. What the client then
// makes of it is not counted: it is the same for both.
import WebSocket from "ws";
import { heard, say, settings } from "./talk.mjs";
import { open, pause } from "./stock.mjs";

for (;;) {
  const { name } = await heard();
  let start;
  let bytes = 0;
  let arrived;
  const Timed = class extends WebSocket {
    constructor(...rest) {
      start ??= performance.now();
      super(...rest);
      this.on("message", (data) => {
        bytes += data.length;
        // One server may write the same document a little shorter than the other.
        if (bytes > 0.95 * settings.bytes) arrived ??= performance.now();
      });
    }
  };
  const client = await open(settings.place, name, { Socket: Timed });
  while (arrived === undefined) await pause(1);
  client.close();
  say({ ms: arrived - start });
}
