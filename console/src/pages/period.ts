/** The periods of a report. The API knows what each is compared with. */

import type { Span } from "../plant/api";

export const PERIODS = {
  shift: { from: "shift", to: "now" },
  previousShift: { from: "previous-shift", to: "shift" },
  today: { from: "today", to: "now" },
  yesterday: { from: "yesterday", to: "today" },
  month: { from: "month", to: "now" },
  previousMonth: { from: "previous-month", to: "month" },
} as const satisfies Record<string, Span>;

export type PeriodName = keyof typeof PERIODS;
