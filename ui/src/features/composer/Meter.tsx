// How full the context is; the figures behind it on request.
import { Popover } from "@base-ui/react/popover";

import { useWords } from "../../i18n";
import { tokens } from "../../i18n/format";
import type { ThreadId } from "../../protocol";
import { useStore } from "../../state/store";
import css from "./Meter.module.css";
import { strings } from "./strings";

const FULL = 0.85;

export function Meter({ threadId }: { threadId: ThreadId }) {
  const context = useStore((it) => it.threads[threadId]?.context);
  const usage = useStore((it) => it.threads[threadId]?.usage);
  const t = useWords(strings);
  if (context === undefined || usage === undefined || context.used === 0) return null;
  const share = context.window === undefined ? undefined : Math.min(1, context.used / context.window);
  const words = share === undefined ? t("contextTokens", { used: tokens(context.used) }) : t("contextUsed", { percent: Math.round(share * 100) });
  const rows: [string, number][] = [
    [t("input"), usage.inputTokens], [t("cached"), usage.cachedInputTokens], [t("output"), usage.outputTokens], [t("reasoning"), usage.reasoningOutputTokens],
  ];
  return (
    <Popover.Root>
      <Popover.Trigger className={css.meter} aria-label={`${t("context")}: ${words}`} data-full={(share ?? 0) > FULL || undefined}>
        {share === undefined ? tokens(context.used) : <><Ring share={share} />{`${String(Math.round(share * 100))} %`}</>}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="top" align="end" sideOffset={6} className={css.positioner}>
          <Popover.Popup className={css.popup}>
            <Popover.Title className={css.title}>{words}</Popover.Title>
            {context.window !== undefined && <p>{t("contextOf", { used: tokens(context.used), window: tokens(context.window) })}</p>}
            {context.estimated && <p className={css.quiet}>{t("estimated")}</p>}
            <dl className={css.rows}>
              {rows.map(([label, count]) => <div key={label}><dt>{label}</dt><dd>{tokens(count)}</dd></div>)}
            </dl>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

const ROUND = 2 * Math.PI * 6;

function Ring({ share }: { share: number }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden fill="none" strokeWidth="2.5" className={css.ring}>
      <circle cx="8" cy="8" r="6" stroke="var(--line)" />
      <circle cx="8" cy="8" r="6" stroke="currentColor" strokeDasharray={`${String(share * ROUND)} ${String(ROUND)}`} transform="rotate(-90 8 8)" />
    </svg>
  );
}
