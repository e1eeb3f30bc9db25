/** The periods of a report, and those they are compared with. */

import type { Span } from "../plant/api";

export interface Period {
  span: Span;
  /** The period before; that of the same length before the start, where the API has no name for it. */
  before?: Span;
}

export const PERIODS = {
  shift: { span: { from: "shift", to: "now" }, before: { from: "previous-shift", to: "shift" } },
  previousShift: { span: { from: "previous-shift", to: "shift" } },
  today: { span: { from: "today", to: "now" }, before: { from: "yesterday", to: "today" } },
  yesterday: { span: { from: "yesterday", to: "today" } },
  month: { span: { from: "month", to: "now" }, before: { from: "previous-month", to: "month" } },
  previousMonth: { span: { from: "previous-month", to: "month" } },
} as const satisfies Record<string, Period>;
export type PeriodName = keyof typeof PERIODS;

/** As long as the span, just before it. */
export function spanBefore(card: { start: string; end: string }): Span {
  const [start, end] = [Date.parse(card.start), Date.parse(card.end)];
  return { from: new Date(start - (end - start)).toISOString(), to: card.start };
}

/** By how much of itself *before* became *after*; null where that says nothing. */
export function change(after: number | null, before: number | null): number | null {
  return after === null || !before ? null : (after - before) / Math.abs(before);
}
