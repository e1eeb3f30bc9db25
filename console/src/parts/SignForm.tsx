/** Why a period is signed: from then on its figures stay, whatever arrives. */

import { useState } from "preact/hooks";
import { post } from "../plant/api";
import { fill, words } from "../words";

export function SignForm({ name, signed }: { name: string; signed: () => void }) {
  const [reason, setReason] = useState("");
  const [failed, setFailed] = useState("");
  const { report, failed: failedWord } = words.value;
  const send = (event: Event): void => {
    event.preventDefault();
    post(`/periods/${encodeURIComponent(name)}/sign`, { reason }).then(signed, (error: Error) => setFailed(error.message));
  };
  return (
    <form class="row no-print" onSubmit={send}>
      <label>
        <span class="choice-label">{report.why}</span>
        <input required maxLength={1000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <button type="submit">{fill(report.sign, { name })}</button>
      {failed && (
        <span class="failed" role="alert">
          {fill(failedWord, { detail: failed })}
        </span>
      )}
    </form>
  );
}
