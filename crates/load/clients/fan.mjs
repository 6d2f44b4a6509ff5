// Clients that write and read each other, each with a cursor that moves along, as editors do. Says what was delivered, and how long
// that took, in milliseconds.
import { heard, say, settings } from "./talk.mjs";
import { open, openAll, pause } from "./stock.mjs";

const { places, prefix, clients: count, documents, edits, everyMs } = settings;
const room = (index) => index % documents;
// Neighbours in a document are on different places.
const place = (index) => places[Math.floor(index / documents) % places.length];

const clients = await openAll(count, (index) => open(place(index), `${prefix}-${room(index)}`));
const readers = (index) => clients.filter((_, other) => room(other) === room(index)).length - 1;
const took = [];
for (const { doc } of clients) {
  doc.getArray("times").observe(({ delta, transaction }) => {
    if (transaction.local) return;
    const now = performance.now();
    for (const { insert } of delta) for (const at of insert ?? []) took.push(now - at);
  });
}
say({ ready: true });
await heard();

let expected = 0;
const start = performance.now();
for (let edit = 0; edit < edits; edit++) {
  const early = start + edit * everyMs - performance.now();
  if (early > 0) await pause(early);
  const index = edit % count;
  const { doc, awareness } = clients[index];
  awareness.setLocalStateField("cursor", { anchor: edit, head: edit });
  doc.getArray("times").push([performance.now()]);
  expected += readers(index);
}
while (took.length < expected) await pause(5);
say({ delivered: took.length, took });
await heard();
