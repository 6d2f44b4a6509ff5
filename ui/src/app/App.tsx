// The window: sidebar, page, side pane. What is in them belongs to their features.
import { CSPProvider } from "@base-ui/react/csp-provider";
import { Tooltip } from "@base-ui/react/tooltip";
import { lazy, Suspense, useEffect } from "react";

import { Confirm } from "../components/Confirm";
import { Toasts } from "../components/Toasts";
import { Palette } from "../features/palette/Palette";
import { Sidebar } from "../features/threads/Sidebar";
import { Welcome } from "../features/welcome/Welcome";
import { useWords } from "../i18n";
import { closePane, toggleSidebar, useStore } from "../state/store";
import css from "./App.module.css";
import { Announcer } from "./Announcer";
import { Divider, useWidth } from "./Divider";
import { SidePane } from "./SidePane";
import { strings } from "./strings";
import { ThreadPage } from "./ThreadPage";

const Settings = lazy(async () => ({ default: (await import("../features/settings/Settings")).Settings }));

export function App() {
  const view = useStore((it) => it.place.view);
  const sidebar = useStore((it) => it.sidebar);
  const pane = useStore((it) => it.pane.open);
  const settings = useStore((it) => it.overlay.type === "settings");
  const t = useWords(strings);
  const [sidebarWidth, setSidebarWidth] = useWidth("zspark.sidebar", 268, 220, 420);
  const [paneWidth, setPaneWidth] = useWidth("zspark.pane", 460, 320, 900);
  useAppearance();

  const withSidebar = view !== "welcome" && view !== "loading";
  const withPane = pane && (view === "thread" || view === "new");
  return (
    <CSPProvider disableStyleElements>
      <Tooltip.Provider>
        <div className={css.window} style={{ "--sidebar": `${String(sidebarWidth)}px`, "--pane": `${String(paneWidth)}px` } as React.CSSProperties}>
          {withSidebar && sidebar && (
            <>
              <nav className={css.sidebar} aria-label={t("threads")}><Sidebar /></nav>
              <button type="button" className={css.sidebarScrim} aria-label={t("hideSidebar")} onClick={toggleSidebar} />
              <Divider label={t("resizeSidebar")} width={sidebarWidth} onWidth={setSidebarWidth} side="start" />
            </>
          )}
          <main className={css.page}>{view === "welcome" ? <Welcome /> : <ThreadPage />}</main>
          {withPane && (
            <>
              <button type="button" className={css.paneScrim} aria-label={t("hidePane")} onClick={closePane} />
              <Divider label={t("resizePane")} width={paneWidth} onWidth={setPaneWidth} side="end" />
              <aside className={css.pane} aria-label={t("pane")}><SidePane /></aside>
            </>
          )}
        </div>
        {settings && <Suspense><Settings /></Suspense>}
        <Palette />
        <Confirm />
        <Announcer />
        <Toasts />
      </Tooltip.Provider>
    </CSPProvider>
  );
}

/** Theme and language on the root element, where CSS and screen readers look for them. */
function useAppearance(): void {
  const theme = useStore((it) => it.settings?.theme.value ?? "system");
  const tongue = useStore((it) => it.tongue);
  useEffect(() => {
    document.documentElement.lang = tongue;
  }, [tongue]);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const show = () => {
      document.documentElement.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    };
    show();
    dark.addEventListener("change", show);
    return () => dark.removeEventListener("change", show);
  }, [theme]);
}
