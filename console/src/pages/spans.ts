/** The spans that pages offer: what the API is asked for, and by what buckets. */

import type { Span } from "../plant/api";

export const SPANS = {
  hour: { from: "-1h", to: "now", every: "1m" },
  shift: { from: "shift", to: "now", every: "1h" },
  day: { from: "-24h", to: "now", every: "1h" },
  week: { from: "-7d", to: "now", every: "1h" },
  month: { from: "-30d", to: "now", every: "day" },
  year: { from: "-365d", to: "now", every: "day" },
} as const satisfies Record<string, Span & { every: string }>;

export type SpanName = keyof typeof SPANS;

export const spanNamed = (name: string | null): SpanName =>
  name !== null && name in SPANS ? (name as SpanName) : "day";
