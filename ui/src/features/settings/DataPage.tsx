// What is kept where, and that nothing else leaves the machine.
import { Copy } from "lucide-react";

import { IconButton } from "../../components/Button";
import { useWords } from "../../i18n";
import { useStore } from "../../state/store";
import { copy } from "../artifacts/actions";
import css from "./DataPage.module.css";
import { Section } from "./parts";
import { strings } from "./strings";

export function DataPage() {
  const t = useWords(strings);
  const home = useStore((it) => it.info?.home ?? "");
  const windows = useStore((it) => it.info?.platform === "windows");
  const inside = (name: string) => `${home}${windows ? "\\" : "/"}${name}`;
  const facts = [
    [t("dataThreads"), t("dataThreadsText", { path: inside("threads") })],
    [t("dataConfig"), t("dataConfigText", { path: inside("config.toml") })],
    [t("dataKeys"), t("dataKeysText")],
    [t("dataFiles"), t("dataFilesText")],
    [t("dataTelemetry"), t("dataTelemetryText")],
  ] as const;
  return (
    <Section>
      <p>{t("dataIntro")}</p>
      <div className={css.home}>
        <span>{t("dataHome")}</span>
        <code>{home}</code>
        <IconButton small label={t("copyPath")} icon={<Copy />} onClick={() => void copy(home)} />
      </div>
      <dl className={css.facts}>
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
