// The reference: hocuspocus with its SQLite extension and its own defaults, on one folder.
// A line on its input makes it collect garbage, so that memory is compared without it.
import path from "node:path";
import { Server } from "@hocuspocus/server";
import { SQLite } from "@hocuspocus/extension-sqlite";
import { heard, say, settings } from "./talk.mjs";

const server = new Server({
  quiet: true,
  stopOnSignals: false,
  address: "127.0.0.1",
  port: settings.port ?? 0,
  extensions: [new SQLite({ database: path.join(settings.folder, "documents.sqlite") })],
});
await server.listen();
// Its own way leaves a process behind that still listens to its input.
process.once("SIGTERM", async () => {
  await server.destroy();
  process.exit(0);
});
say({ port: server.address.port });
for (;;) {
  await heard();
  globalThis.gc();
  say({ collected: true });
}
