/** A measured value: number, unit and what it is worth. A stale one never looks live. */

import { shownAt, valueOf } from "../plant/live";
import { GOOD, type Newest, STALE, UNCERTAIN } from "../plant/types";
import { fill, number, time, unit, words } from "../words";

export type Worth = "good" | "uncertain" | "bad" | "stale" | "none";

export function worthOf(newest: Newest | null): Worth {
  if (!newest || newest.ts === null) return "none";
  if (newest.quality === STALE) return "stale";
  if (newest.quality >= GOOD) return "good";
  return newest.quality >= UNCERTAIN ? "uncertain" : "bad";
}

export function worthText(newest: Newest | null): string {
  const { quality } = words.value;
  const worth = worthOf(newest);
  const since = newest?.ts ? time(Date.parse(newest.ts)) : "–";
  return worth === "stale" ? fill(quality.stale, { time: since }) : quality[worth];
}

interface Given {
  tag: string;
  title?: string;
  digits?: number;
  low?: number | null;
  high?: number | null;
}

export function Value({ tag, title, digits, low, high }: Given) {
  const newest = valueOf(tag).value;
  const worth = worthOf(newest);
  const value = newest?.value ?? null;
  const out =
    value !== null && ((low != null && value < low) || (high != null && value > high));
  const old = newest?.ts ? shownAt.value - Date.parse(newest.ts) : 0;
  return (
    <span
      class={`value is-${worth}${out ? " is-out" : ""}`}
      title={`${tag}: ${worthText(newest)}`}
      data-tag={tag}
    >
      {title && <span class="value-title">{title}</span>}
      <span class="value-number">{number(value, digits)}</span>
      <span class="value-unit">{unit(newest?.unit ?? "")}</span>
      {worth !== "good" && <span class="value-worth">{worthText(newest)}</span>}
      {worth === "stale" && <span class="visually-hidden">{Math.round(old / 1000)} s</span>}
    </span>
  );
}
