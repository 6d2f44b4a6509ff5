// What can be done with an artifact from its card and its pane.
import { asFailure, host } from "../../host";
import { say } from "../../i18n/words";
import type { Artifact, ArtifactRef } from "../../protocol";
import { showPane, tell, tellFailure, useStore } from "../../state/store";
import { strings } from "./strings";

function word(key: keyof typeof strings.en, values?: Record<string, string>): string {
  return say(strings, useStore.getState().tongue, key, values);
}

/** Shows an artifact in the side pane. */
export function preview(artifact: Artifact): void {
  showPane({ tab: "artifacts", artifactId: artifact.id, version: artifact.version });
}

export function openWithProgram(artifact: ArtifactRef): void {
  host.shell("host/openArtifact", { artifact }).catch(tellFailure);
}

export function reveal(artifact: ArtifactRef): void {
  host.shell("host/revealArtifact", { artifact }).catch(tellFailure);
}

export async function saveAs(artifact: ArtifactRef, name: string): Promise<void> {
  try {
    const path = await host.shell("host/pickSave", { name });
    if (path === null) return;
    await host.ask("artifact/save", { artifact, path });
    tell(word("saved", { path }));
  } catch (thrown) {
    tellFailure(thrown);
  }
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell(word("copied"));
  } catch {
    tell(word("copyFailed"), { tone: "danger" });
  }
}

/** More than this is a file to open, not a text to paste. */
const COPIED = 4 * 1024 * 1024;

export async function copyContent(artifact: ArtifactRef): Promise<void> {
  try {
    const { text, binary } = await host.ask("artifact/read", { artifact, limit: COPIED });
    if (binary) tell(word("binary"), { tone: "danger" });
    else await copy(text);
  } catch (thrown) {
    tellFailure(asFailure(thrown));
  }
}
