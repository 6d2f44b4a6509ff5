// Where a value comes from, in words.
import type { Say } from "../../i18n/words";
import type { Origin } from "../../protocol";
import type { strings } from "./strings";

/** What to say beside a value; nothing for a built-in one. */
export function originText(origin: Origin, t: Say<keyof typeof strings.en>): string | undefined {
  switch (origin.type) {
    case "default":
      return undefined;
    case "managed":
      return t("originManaged", { path: origin.path });
    case "user":
      return t("originUser", { path: origin.path });
    case "profile":
      return t("originProfile", { path: origin.path });
    case "project":
      return t("originProject", { path: origin.path });
    case "commandLine":
      return t("originCommandLine");
    case "thread":
      return t("originThread");
  }
}

/** Whether the person's own file could change it: what stands above that file would win. */
export function isOurs(origin: Origin): boolean {
  return origin.type === "default" || origin.type === "user" || origin.type === "thread" || origin.type === "project";
}
