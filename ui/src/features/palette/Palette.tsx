// Every action by its name.
export function Palette() {
  return null;
}
