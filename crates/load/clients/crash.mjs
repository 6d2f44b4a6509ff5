// Clients that type until the server is gone. Then says how many of the acknowledged edits are there when it is back.
import { heard, say, settings } from "./talk.mjs";
import { open, openAll, pause } from "./stock.mjs";

const { place, name, clients: count, everyMs } = settings;
const acknowledged = new Array(count).fill(0);
let gone = false;
const clients = await openAll(count, (index) =>
  open(place, name, { acknowledged: (edits) => (acknowledged[index] = edits) }),
);
for (const client of clients) client.socket.once("close", () => (gone = true));
say({ ready: true });
await heard();
for (let edit = 0; !gone; edit++) {
  const index = edit % count;
  clients[index].doc.getArray(`client-${index}`).push([edit]);
  await pause(everyMs);
}
// Else they would come back and bring what was lost.
for (const client of clients) client.close();
say({ gone: true });

const { place: again } = await heard();
const reader = await open(again, name);
const there = acknowledged.map((edits, index) => Math.min(edits, reader.doc.getArray(`client-${index}`).length));
const sum = (numbers) => numbers.reduce((total, it) => total + it, 0);
say({ acknowledged: sum(acknowledged), lost: sum(acknowledged) - sum(there) });
await heard();
