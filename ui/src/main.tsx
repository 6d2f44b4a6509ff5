// Composition: connect to the host, then draw.
import "./styles/tokens.css";
import "./styles/base.css";

import { type ReactElement, StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { NotStarted } from "./app/NotStarted";
import { asFailure, connect } from "./host";
import { start } from "./state/store";

async function main(): Promise<void> {
  const host = await connect();
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  const page: ReactElement = await start().then(
    () => <App />,
    (thrown: unknown) => <NotStarted failure={asFailure(thrown)} />,
  );
  // Drawn at once, not in an animation frame: a hidden window has none, and it is `host/ready` that shows it.
  flushSync(() => createRoot(root).render(<StrictMode>{page}</StrictMode>));
  void host.shell("host/ready", {});
}

void main();
