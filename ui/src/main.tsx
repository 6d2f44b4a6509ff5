// Composition: connect to the host, then draw.
import "./styles/tokens.css";
import "./styles/base.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { connect } from "./host";
import { start } from "./state/store";

async function main(): Promise<void> {
  const host = await connect();
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  await start();
  createRoot(root).render(<StrictMode><App /></StrictMode>);
  requestAnimationFrame(() => void host.shell("host/ready", {}));
}

void main();
