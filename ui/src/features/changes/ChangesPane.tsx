// What the turns of a thread changed in files.
export function ChangesPane() {
  return null;
}
