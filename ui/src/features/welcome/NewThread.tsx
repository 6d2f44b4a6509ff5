// Where a new thread begins: its folder, what the folder is like, and one prompt that fits. The composer is below.
import { ChevronDown, Folder, FolderPlus, GitBranch, Lightbulb } from "lucide-react";

import { FailureCard } from "../../components/FailureCard";
import { Menu, MenuItem } from "../../components/Menu";
import { Button } from "../../components/Button";
import { host } from "../../host";
import { useWords } from "../../i18n";
import { newThread, useStore } from "../../state/store";
import { useAnswer } from "../artifacts/useAnswer";
import { changeDraft, draftKey, focusComposer } from "../composer/drafts";
import { folderLabels } from "../threads/grouping";
import { examplePrompt } from "./example";
import { pickFolder } from "./FolderChoice";
import css from "./NewThread.module.css";
import { strings } from "./strings";

const NONE: string[] = [];

export function NewThread({ cwd }: { cwd: string }) {
  const t = useWords(strings);
  const demo = useStore((it) => it.settings?.provider.value === "demo");
  const recent = useStore((it) => it.settings?.recentFolders ?? NONE);
  const folder = useAnswer(() => host.ask("folder/check", { cwd }), cwd);
  const state = folder.state === "done" ? folder.value : undefined;
  const labels = folderLabels([...new Set([cwd, ...recent])]);
  const prompt = t(examplePrompt(demo, state));
  return (
    <div className={css.screen}>
      <div className={css.middle}>
        <h2 className={css.title}>{t("newThread")}</h2>
        <div className={css.folder}>
          <Menu
            label={t("folder")}
            trigger={
              <Button icon={<Folder />} data-testid="folder-choice" title={cwd} aria-label={`${t("folder")}: ${cwd}`}>
                <span className={css.name}>{labels.get(cwd) ?? cwd}<ChevronDown aria-hidden /></span>
              </Button>
            }
          >
            {recent.filter((it) => it !== cwd).map((it) => (
              <MenuItem key={it} icon={<Folder />} onClick={() => newThread(it)}>{labels.get(it) ?? it}</MenuItem>
            ))}
            <MenuItem icon={<FolderPlus />} onClick={() => void pickFolder(newThread)}>{t("otherFolder")}</MenuItem>
          </Menu>
          {state?.git === true && <span className={css.fact}><GitBranch aria-hidden />{t("folderGit")}</span>}
        </div>
        <p className={css.path}>{cwd}</p>
        {state?.failure !== undefined && <FailureCard failure={state.failure} actions={<Button small onClick={() => void pickFolder(newThread)}>{t("otherFolder")}</Button>} />}
        {state !== undefined && state.failure === undefined && state.usable && !state.writable && <p className={css.warning} role="status">{t("folderReadOnly")}</p>}
        {demo && <p className={css.warning}><strong>{t("demoMark")}</strong> {t("demoNotice")}</p>}
        <p className={css.example}>
          <span className={css.for}>{t("example")}</span>
          <button
            type="button"
            className={css.prompt}
            data-testid="example-prompt"
            onClick={() => {
              changeDraft(draftKey(undefined, cwd), { text: prompt });
              focusComposer();
            }}
          >
            <Lightbulb aria-hidden />
            {prompt}
          </button>
        </p>
      </div>
    </div>
  );
}
