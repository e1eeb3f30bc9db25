/** The periods that reports are asked of, as the API calls them. */

export const PERIODS = {
  shift: { kind: "shift", at: "current" },
  previousShift: { kind: "shift", at: "previous" },
  today: { kind: "day", at: "current" },
  yesterday: { kind: "day", at: "previous" },
  month: { kind: "month", at: "current" },
  previousMonth: { kind: "month", at: "previous" },
} as const;

export type PeriodName = keyof typeof PERIODS;
