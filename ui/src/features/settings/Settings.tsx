// The settings: a searchable list of pages over the window.
import { Dialog as Base } from "@base-ui/react/dialog";
import { Database, Info, Keyboard, Palette, Plug, Search, ShieldCheck, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { Button, IconButton } from "../../components/Button";
import dialog from "../../components/Dialog.module.css";
import { Empty } from "../../components/Field";
import { useEnterSubmit } from "../../hooks/useEnterSubmit";
import { useWords } from "../../i18n";
import { closeOverlay, showOverlay, useStore } from "../../state/store";
import { rank } from "../palette/rank";
import { AboutPage } from "./AboutPage";
import { AppearancePage } from "./AppearancePage";
import { BrokenBanner } from "./BrokenBanner";
import { ENTRIES, PAGES, pageOf, type Entry, type PageId } from "./catalog";
import { DataPage } from "./DataPage";
import { KeyboardPage } from "./KeyboardPage";
import { ProvidersPage } from "./ProvidersPage";
import { RulesPage } from "./RulesPage";
import css from "./Settings.module.css";
import { strings } from "./strings";

const ICONS = { providers: Plug, rules: ShieldCheck, appearance: Palette, keyboard: Keyboard, data: Database, about: Info } as const;
const BODIES = { providers: ProvidersPage, rules: RulesPage, appearance: AppearancePage, keyboard: KeyboardPage, data: DataPage, about: AboutPage } as const;

export function Settings() {
  const t = useWords(strings);
  const page = useStore((it) => pageOf(it.overlay.type === "settings" ? it.overlay.page : undefined));
  const [query, setQuery] = useState("");
  const [goal, setGoal] = useState<Entry>();
  const body = useRef<HTMLDivElement>(null);

  const found = query.trim() === ""
    ? undefined
    : rank(ENTRIES, query, (it) => t(it.word), (it) => it.also.map((word) => t(word)).join(" ")).map((it) => it.item);

  const open = (to: PageId, entry?: Entry) => {
    showOverlay({ type: "settings", page: to });
    setGoal(entry);
    body.current?.scrollTo(0, 0);
  };
  useEffect(() => {
    const element = goal?.setting === undefined ? null : body.current?.querySelector(`[data-setting="${goal.setting}"]`);
    if (element == null) return undefined;
    element.scrollIntoView({ block: "start" });
    element.classList.add(css.goal ?? "");
    const timer = setTimeout(() => element.classList.remove(css.goal ?? ""), 1600);
    return () => {
      clearTimeout(timer);
      element.classList.remove(css.goal ?? "");
    };
  }, [goal, page]);

  const keys = useEnterSubmit<HTMLInputElement>(
    () => {
      const first = found?.[0];
      if (first !== undefined) open(first.page, first);
    },
    (event) => {
      if (event.key !== "Escape" || query === "") return false;
      event.stopPropagation();
      setQuery("");
      return true;
    },
  );
  const Body = BODIES[page];

  return (
    <Base.Root open onOpenChange={(next) => { if (!next) closeOverlay(); }}>
      <Base.Portal>
        <Base.Backdrop className={dialog.scrim} />
        <Base.Popup className={css.popup} data-testid="settings" initialFocus={false}>
          <div className={css.side}>
            <Base.Title className={css.title}>{t("settings")}</Base.Title>
            <div className={css.search} role="search">
              <Search aria-hidden />
              <input type="search" aria-label={t("searchSettings")} placeholder={t("searchSettings")} value={query} autoComplete="off" spellCheck={false} onChange={(event) => setQuery(event.target.value)} {...keys} />
            </div>
            {found === undefined ? (
              <nav aria-label={t("settings")} className={css.list}>
                {PAGES.map((it) => {
                  const Icon = ICONS[it];
                  return (
                    <button key={it} type="button" className={css.entry} aria-current={it === page ? "page" : undefined} data-testid={`settings-${it}`} onClick={() => open(it)}>
                      <Icon aria-hidden />
                      <span>{t(it)}</span>
                    </button>
                  );
                })}
              </nav>
            ) : (
              <div className={css.list} role="region" aria-label={t("searchSettings")} aria-live="polite">
                {found.map((entry) => (
                  <button key={`${entry.page} ${entry.word}`} type="button" className={css.entry} onClick={() => open(entry.page, entry)}>
                    <span>
                      {t(entry.word)}
                      {entry.setting !== undefined && <span className={css.where}>{t(entry.page)}</span>}
                    </span>
                  </button>
                ))}
                {found.length === 0 && <Empty title={t("nothingFound", { query: query.trim() })}><Button small onClick={() => setQuery("")}>{t("clear")}</Button></Empty>}
              </div>
            )}
          </div>
          <div className={css.main}>
            <header className={css.header}>
              <h2>{t(page)}</h2>
              <Base.Close render={<IconButton label={t("close")} icon={<X />} data-testid="settings-close" />} />
            </header>
            <div ref={body} className={css.body} key={page}>
              <BrokenBanner />
              <Body />
            </div>
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
