// The first run.
export function Welcome() {
  return null;
}
