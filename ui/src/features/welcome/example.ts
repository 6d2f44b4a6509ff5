// Which example prompt fits a new thread.
import type { FolderState } from "../../protocol";
import type { strings } from "./strings";

/** The words of the prompt: the demo's own task, else one that fits the folder. */
export function examplePrompt(demo: boolean, folder: FolderState | undefined): keyof typeof strings.en {
  if (demo) return "exampleDemo";
  return folder?.git === true ? "exampleGit" : "exampleFiles";
}
