// One stock client of a document. Each line on its standard input is text that it puts at the end; each line that it says is
// what it shows by then, and what others say of themselves. Ends with its input.
// Usage: node peer.mjs <ws://…/docs> <document> <user>
import { createInterface } from "node:readline";
import WebSocket from "ws";
import * as Y from "yjs";
import { WebsocketProvider } from "y-websocket";

const [, , base, room, name] = process.argv;
class SignedIn extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { headers: { "x-domain-user": name } });
  }
}

const doc = new Y.Doc();
const text = doc.getText("t");
const provider = new WebsocketProvider(base, room, doc, { WebSocketPolyfill: SignedIn, disableBc: true });
const say = () => {
  const others = [];
  for (const [client, state] of provider.awareness.getStates()) {
    if (client !== provider.awareness.clientID) others.push(state.doing ?? null);
  }
  console.log(JSON.stringify({ synced: provider.synced, text: text.toString(), others }));
};
provider.awareness.setLocalStateField("doing", "stock");
provider.awareness.on("change", say);
provider.on("sync", say);
doc.on("update", say);
createInterface({ input: process.stdin })
  .on("line", (line) => text.insert(text.length, line))
  .on("close", () => process.exit(0));
