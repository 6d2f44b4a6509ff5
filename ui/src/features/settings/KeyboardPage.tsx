// All shortcuts, from the same list that binds them.
import { useWords } from "../../i18n";
import { strings as palette } from "../palette/strings";
import { caps, SHORTCUTS, type ShortcutName } from "../palette/shortcuts";
import { useMac } from "../palette/useShortcuts";
import css from "./KeyboardPage.module.css";
import { Section } from "./parts";
import { strings } from "./strings";

/** Keys that are bound where they are used, not everywhere. */
const LOCAL = [
  ["keyComposer", [["keySend", "Enter"], ["keyBreak", "Shift+Enter"], ["keySteer", "Mod+Enter"], ["keyStop", "Escape"], ["keyMention", "@"], ["keyCommand", "/"]]],
  ["keyApproval", [["keyAllow", "A"], ["keyThread", "T"], ["keyAlways", "R"], ["keyDecline", "D"]]],
  ["keyThreads", [["keyMove", "ArrowUp"], ["keyMove", "ArrowDown"], ["keyOpen", "Enter"], ["keyRename", "F2"], ["keyMenu", "Shift+F10"], ["keyDelete", "Delete"]]],
] as const;

export function KeyboardPage() {
  const t = useWords(strings);
  const p = useWords(palette);
  const mac = useMac();
  const names = Object.keys(SHORTCUTS) as ShortcutName[];
  return (
    <>
      <Section title={t("keyGlobal")} intro={t("keyboardIntro")}>
        <dl className={css.keys}>
          {names.map((name) => (
            <Line key={name} label={p(name === "palette" ? "paletteAction" : name)} keys={caps(SHORTCUTS[name], mac)} />
          ))}
        </dl>
      </Section>
      {LOCAL.map(([group, keys]) => (
        <Section key={group} title={t(group)}>
          <dl className={css.keys}>
            {keys.map(([label, key]) => (
              <Line key={key} label={t(label)} keys={caps(key, mac)} />
            ))}
          </dl>
        </Section>
      ))}
    </>
  );
}

function Line({ label, keys }: { label: string; keys: string[] }) {
  return (
    <div className={css.line}>
      <dt>{label}</dt>
      <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
    </div>
  );
}
