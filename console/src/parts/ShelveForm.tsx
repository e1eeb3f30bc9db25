/** Why an alarm is kept quiet, and for how long: what is shelved without a reason stays forgotten. */

import { useEffect, useRef, useState } from "preact/hooks";
import { act } from "../plant/alarms";
import type { Alarm } from "../plant/types";
import { fill, words } from "../words";

/** What the API allows at most [min]. */
const AT_MOST = 1440;
const USUAL = 30;

export function ShelveForm({ one, close }: { one: Alarm; close: () => void }) {
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState(USUAL);
  const [failed, setFailed] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const { alarms, potroom, failed: failedWord } = words.value;
  const send = (event: Event): void => {
    event.preventDefault();
    act(one, "shelve", { reason, minutes }).then(close, (error: Error) => setFailed(error.message));
  };
  return (
    <form class="row shelve" onSubmit={send} onKeyDown={(event) => event.key === "Escape" && close()}>
      <strong>{one.name}</strong>
      <label>
        <span class="choice-label">{alarms.reason}</span>
        <input ref={first} required maxLength={1000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <label>
        <span class="choice-label">{alarms.minutes}</span>
        <input
          type="number"
          required
          min={1}
          max={AT_MOST}
          value={minutes}
          onInput={(event) => setMinutes(event.currentTarget.valueAsNumber)}
        />
      </label>
      <button type="submit">{alarms.shelve}</button>
      <button type="button" onClick={close}>
        {potroom.close}
      </button>
      {failed && (
        <span class="failed" role="alert">
          {fill(failedWord, { detail: failed })}
        </span>
      )}
    </form>
  );
}
