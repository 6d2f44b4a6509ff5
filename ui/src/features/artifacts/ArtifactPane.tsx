// The preview of an artifact.
export function ArtifactPane() {
  return null;
}
