// A folder to work in: one of the last ones, or any other.
import { Folder, FolderPlus } from "lucide-react";

import { host } from "../../host";
import { useWords } from "../../i18n";
import { tellFailure, useStore } from "../../state/store";
import { folderLabels } from "../threads/grouping";
import css from "./FolderChoice.module.css";
import { strings } from "./strings";

const SHOWN = 6;
const NONE: string[] = [];

/** Lets the person pick; does nothing when they think better of it. */
export async function pickFolder(onChoose: (cwd: string) => void): Promise<void> {
  try {
    const picked = await host.shell("host/pickFolder", {});
    if (picked !== null) onChoose(picked);
  } catch (thrown) {
    tellFailure(thrown);
  }
}

export function FolderChoice({ onChoose }: { onChoose: (cwd: string) => void }) {
  const t = useWords(strings);
  const recent = useStore((it) => it.settings?.recentFolders ?? NONE).slice(0, SHOWN);
  const labels = folderLabels(recent);
  return (
    <ul className={css.list} aria-label={t("recent")}>
      {recent.map((cwd) => (
        <li key={cwd}>
          <button type="button" className={css.folder} data-testid="recent-folder" onClick={() => onChoose(cwd)}>
            <Folder aria-hidden />
            <span className={css.name}>{labels.get(cwd) ?? cwd}</span>
            <span className={css.path}><bdi>{cwd}</bdi></span>
          </button>
        </li>
      ))}
      <li>
        <button type="button" className={css.folder} data-testid="pick-folder" onClick={() => void pickFolder(onChoose)}>
          <FolderPlus aria-hidden />
          <span className={css.name}>{recent.length === 0 ? t("chooseFolder") : t("otherFolder")}</span>
        </button>
      </li>
    </ul>
  );
}
