/** What is wrong with the live values, in one line that nobody misses. */

import { behind, link, newestAt, shownAt, trouble } from "../plant/live";
import { fill, time, words } from "../words";

function message(): string {
  const { link: text } = words.value;
  const shown = { time: time(shownAt.value) };
  if (link.value === "lost") return fill(text.lost, shown);
  if (link.value === "problem") return fill(text.problem, { ...shown, detail: trouble.value });
  if (behind.value) return fill(text.behind, { time: time(newestAt.value) });
  return "";
}

export function LinkBanner() {
  const said = message();
  return (
    <p class={`banner${said ? " is-shown" : ""}`} role="alert">
      {said}
    </p>
  );
}
