// One question to the host as a hook: asked again when its key changes; an answer to an older key is dropped.
import { useCallback, useEffect, useRef, useState } from "react";

import { asFailure } from "../../host";
import type { Failure } from "../../protocol";

export type Asked<T> = { state: "asking" } | { state: "done"; value: T } | { state: "failed"; failure: Failure };

export function useAnswer<T>(ask: () => Promise<T>, key: string): Asked<T> & { again: () => void } {
  const [answer, setAnswer] = useState<{ key: string; asked: Asked<T> }>();
  const latest = useRef(ask);
  latest.current = ask;
  const [round, setRound] = useState(0);

  useEffect(() => {
    let current = true;
    latest.current().then(
      (value) => {
        if (current) setAnswer({ key, asked: { state: "done", value } });
      },
      (thrown: unknown) => {
        if (current) setAnswer({ key, asked: { state: "failed", failure: asFailure(thrown) } });
      },
    );
    return () => {
      current = false;
    };
  }, [key, round]);

  const again = useCallback(() => {
    setAnswer(undefined);
    setRound((it) => it + 1);
  }, []);
  const asked: Asked<T> = answer?.key === key ? answer.asked : { state: "asking" };
  return { ...asked, again };
}
