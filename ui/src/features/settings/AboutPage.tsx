// The version, and the doctor that looks at this machine.
import { CircleCheck, CircleX, Copy, TriangleAlert } from "lucide-react";
import { useState } from "react";

import { Button } from "../../components/Button";
import { FailureCard } from "../../components/FailureCard";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { Failure, Finding } from "../../protocol";
import { useStore } from "../../state/store";
import { copy } from "../artifacts/actions";
import css from "./AboutPage.module.css";
import { Section } from "./parts";
import { strings } from "./strings";

const ICONS = { ok: CircleCheck, warning: TriangleAlert, broken: CircleX } as const;
const WORDS = { ok: "doctorOk", warning: "doctorWarning", broken: "doctorBroken" } as const;

export function AboutPage() {
  const t = useWords(strings);
  const version = useStore((it) => it.info?.version ?? "");
  return (
    <>
      <Section>
        <p className={css.name}>zspark</p>
        <p>{t("version", { version })}</p>
        <p className={css.quiet}>{t("licence")}</p>
      </Section>
      <Doctor />
    </>
  );
}

type Check = { state: "none" } | { state: "running" } | { state: "done"; findings: Finding[] } | { state: "failed"; failure: Failure };

function Doctor() {
  const t = useWords(strings);
  const [check, setCheck] = useState<Check>({ state: "none" });
  const run = () => {
    setCheck({ state: "running" });
    host.ask("doctor/run", {}).then(
      (findings) => setCheck({ state: "done", findings }),
      (thrown: unknown) => setCheck({ state: "failed", failure: asFailure(thrown) }),
    );
  };
  const report = (findings: Finding[]) => findings.map((it) => `${it.state.toUpperCase()}  ${it.name}: ${it.message}${it.hint === undefined ? "" : ` (${it.hint})`}`).join("\n");
  return (
    <Section
      id="doctor"
      title={t("doctor")}
      intro={t("doctorIntro")}
      action={
        <span className={css.actions}>
          {check.state === "done" && <Button small tone="quiet" icon={<Copy />} onClick={() => void copy(report(check.findings))}>{t("doctorCopy")}</Button>}
          <Button small data-testid="doctor-run" disabled={check.state === "running"} onClick={run}>{check.state === "running" ? t("doctorRunning") : t("doctorRun")}</Button>
        </span>
      }
    >
      <div aria-live="polite">
        {check.state === "failed" && <FailureCard failure={check.failure} />}
        {check.state === "done" && (
          <>
            {check.findings.every((it) => it.state === "ok") && <p>{t("doctorAllOk")}</p>}
            <ul className={css.findings}>
              {check.findings.map((finding) => {
                const Icon = ICONS[finding.state];
                return (
                  <li key={finding.name} data-state={finding.state}>
                    <Icon aria-label={t(WORDS[finding.state])} role="img" />
                    <div>
                      <p className={css.finding}>{finding.name}</p>
                      <p>{finding.message}</p>
                      {finding.hint !== undefined && <p className={css.quiet}>{finding.hint}</p>}
                    </div>
                  </li>
                );
              })}
            </ul>
          </>
        )}
      </div>
    </Section>
  );
}
