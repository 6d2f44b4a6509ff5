// Colours, language, and how much of the work to show.
import { NativeSelect } from "../../components/Field";
import { useWords } from "../../i18n";
import type { Language, Theme } from "../../protocol";
import { useStore, writeSettings } from "../../state/store";
import { Choices, Setting } from "./parts";
import { strings } from "./strings";

export function AppearancePage() {
  const t = useWords(strings);
  const settings = useStore((it) => it.settings);
  if (settings === undefined) return null;
  const { theme, language, density } = settings;
  return (
    <>
      <Setting id="theme" label={t("theme")} origin={theme.origin}>
        {(control) => (
          <NativeSelect {...control} data-testid="theme-select" value={theme.value} onChange={(event) => void writeSettings({ theme: event.target.value as Theme })}>
            <option value="system">{t("themeSystem")}</option>
            <option value="light">{t("themeLight")}</option>
            <option value="dark">{t("themeDark")}</option>
          </NativeSelect>
        )}
      </Setting>
      <Setting id="language" label={t("language")} origin={language.origin}>
        {(control) => (
          <NativeSelect {...control} data-testid="language-select" value={language.value} onChange={(event) => void writeSettings({ language: event.target.value as Language })}>
            <option value="system">{t("languageSystem")}</option>
            <option value="en" lang="en">English</option>
            <option value="zh-CN" lang="zh-CN">简体中文</option>
          </NativeSelect>
        )}
      </Setting>
      <Choices
        id="density"
        title={t("density")}
        origin={density.origin}
        value={density.value}
        choices={[
          { value: "report", label: t("densityReport"), hint: t("densityReportHint") },
          { value: "normal", label: t("densityNormal"), hint: t("densityNormalHint") },
          { value: "verbose", label: t("densityVerbose"), hint: t("densityVerboseHint") },
        ]}
        onChoose={(value) => void writeSettings({ density: value })}
      />
    </>
  );
}
