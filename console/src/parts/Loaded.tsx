/** What was asked of the API: loading, failed with a way to try again, or there. */

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { fill, words } from "../words";

export type Fetched<Answer> =
  | { state: "loading" }
  | { state: "failed"; error: Error; again: () => void }
  | { state: "there"; answer: Answer };

/**
 * Ask when *keys* change, and again *everyMs* after each answer; one that is no longer wanted is
 * let go. While the same is asked again, the answer before it stays.
 */
export function useFetched<Answer>(
  ask: (signal: AbortSignal) => Promise<Answer>,
  keys: readonly unknown[],
  everyMs?: number,
): Fetched<Answer> {
  const [fetched, set] = useState<Fetched<Answer>>({ state: "loading" });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const control = new AbortController();
    let timer = 0;
    const again = (): void => setTries((known) => known + 1);
    const load = async (): Promise<void> => {
      const found = await ask(control.signal).then(
        (answer): Fetched<Answer> => ({ state: "there", answer }),
        (error: Error): Fetched<Answer> => ({ state: "failed", error, again }),
      );
      if (control.signal.aborted) return;
      set(found);
      if (everyMs) timer = window.setTimeout(load, everyMs);
    };
    set({ state: "loading" });
    void load();
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  }, [...keys, tries]);
  return fetched;
}

interface Given<Answer> {
  fetched: Fetched<Answer>;
  children: (answer: Answer) => ComponentChildren;
}

export function Loaded<Answer>({ fetched, children }: Given<Answer>) {
  const { loading, failed, again } = words.value;
  if (fetched.state === "loading") return <p class="quiet" role="status">{loading}</p>;
  if (fetched.state === "there") return <>{children(fetched.answer)}</>;
  return (
    <p class="failed" role="alert">
      {fill(failed, { detail: fetched.error.message })}{" "}
      <button type="button" onClick={fetched.again}>
        {again}
      </button>
    </p>
  );
}
