// Composition: connect to the host, then draw.
import "./styles/tokens.css";
import "./styles/base.css";

import { StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { connect } from "./host";
import { start } from "./state/store";

async function main(): Promise<void> {
  const host = await connect();
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  await start();
  // Drawn at once, not in an animation frame: a hidden window has none, and it is `host/ready` that shows it.
  flushSync(() => createRoot(root).render(<StrictMode><App /></StrictMode>));
  void host.shell("host/ready", {});
}

void main();
