// The settings.
export function Settings() {
  return null;
}
