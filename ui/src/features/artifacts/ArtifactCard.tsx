// An artifact in the transcript.
import type { Artifact } from "../../protocol";
import { showPane } from "../../state/store";

export function ArtifactCard({ artifact }: { threadId: string; artifact: Artifact }) {
  return (
    <button type="button" data-testid="artifact-card" onClick={() => showPane({ tab: "artifacts", artifactId: artifact.id, version: artifact.version })}>
      {artifact.name}
    </button>
  );
}
