/** What crosses the wire between the API and this page: names as in the API's OpenAPI. */

export interface Rating {
  value: number;
  unit: string;
}

export interface Asset {
  path: string;
  level: "site" | "area" | "line" | "unit";
  type: string;
  title: string;
  ratings: Record<string, Rating>;
  measures: string[];
  kpis: string[];
  children: Asset[];
}

export interface Tag {
  path: string;
  asset: string;
  measure: string;
  title: string;
  unit: string;
  kind: "gauge" | "counter" | "state" | "event";
  stale_after_s: number;
  low: number | null;
  high: number | null;
  /** Computed from other tags; null: measured, so there are readings of its own. */
  derivation: object | null;
}

/** The newest reading of a tag. Quality 500: what it was, and no longer believed. */
export interface Newest {
  tag: string;
  ts: string | null;
  value: number | null;
  quality: number;
  unit: string;
  reason: string | null;
}

export interface LiveKpi {
  kpi: string;
  asset: string;
  unit: string;
  start: string;
  value: number | null;
  coverage: number;
  reason: string | null;
}

export type Priority = "high" | "medium" | "low";
export type Bound = "low_low" | "low" | "high" | "high_high";
export type AlarmState =
  | "normal"
  | "unacknowledged"
  | "acknowledged"
  | "returned"
  | "shelved"
  | "out_of_service"
  | "unknown";

/** An alarm as it stands; `source` is a tag, or a KPI at the asset. */
export interface Alarm {
  id: number;
  name: string;
  asset: string;
  source: string;
  bound: Bound;
  limit: number;
  unit: string | null;
  priority: Priority;
  group: string;
  state: AlarmState;
  since: string | null;
  active: boolean;
  known: boolean;
  value: number | null;
  first_out: boolean;
  shelved_until: string | null;
}

export interface AlarmEvent {
  at: string;
  alarm: number;
  name: string;
  asset: string;
  priority: Priority;
  event:
    | "raise"
    | "clear"
    | "lose"
    | "find"
    | "acknowledge"
    | "shelve"
    | "unshelve"
    | "remove"
    | "restore";
  value: number | null;
  unit: string | null;
  first_out: boolean;
  who: string | null;
  reason: string | null;
}

export interface Frequent {
  alarm: number;
  name: string;
  times: number;
}

export interface AlarmStatistics {
  raised: number;
  per_day: number;
  by_priority: Record<Priority, number>;
  most_in_10_min: number;
  flood_share: number;
  chattering: Frequent[];
  most_frequent: Frequent[];
  stale: Frequent[];
}

export interface LiveState {
  at: string;
  tags: Newest[];
  kpis: LiveKpi[];
  alarms: Alarm[];
}

/** A KPI over a span, beside the span before it and its target; what is not known is null. */
export interface Compared {
  kpi: string;
  asset: string;
  unit: string;
  value: number | null;
  coverage: number;
  reason: string | null;
  previous: number | null;
  change: number | null;
  target: number | null;
  met: boolean | null;
}

export interface Comparison {
  compared_from: string;
  start: string;
  end: string;
  signed: { who: string }[];
  rows: Compared[];
}

/** A KPI in a report, beside the period before it and the target of its day. */
export interface ReportLine extends Omit<Compared, "asset"> {
  better: "lower" | "higher" | null;
}

/** An alarm that rang in a period, or was active at its beginning. */
export interface Stood {
  name: string;
  priority: Priority;
  times: number;
  seconds: number;
}

/** What is frozen with the signature of a period. */
export interface Report {
  asset: string;
  title: string;
  period: { name: string; start: string; end: string; shift: string | null; crew: string | null };
  until: string;
  compared_from: string | null;
  status: "preliminary" | "signed";
  signed: { name: string; by: string; at: string; reason: string }[];
  kpis: ReportLine[];
  alarms: { raised: number; by_priority: Record<Priority, number>; longest: Stood[]; floods: unknown[] };
}

export interface Effect {
  kpi: string;
  unit: string;
  signed: number | null;
  reopened: number | null;
}

/** A report, and what is known of its period now. */
export interface ReportNow {
  report: Report;
  sha256: string;
  late: { hours: number; tags: unknown[]; effects: Effect[] };
  complete_as_of: string | null;
  gaps: { source: string; cause: string; start: string | null; end: string | null; found_at: string; closed_at: string | null }[];
}

/** What an account of the ledger comes to at an asset in an hour. */
export interface LedgerEntry {
  start: string;
  account: string;
  asset: string;
  unit: string;
  value: number | null;
}

export interface StatementLine {
  line: string;
  unit: string;
  value: number | null;
  hours: number;
  missing: number;
}

export interface Device {
  source: string;
  online: boolean;
  since: string;
  tags: number;
  newest_at: string | null;
  backlog: number | null;
  skew_ms: number | null;
}

export interface Gap {
  source: string;
  cause: string;
  missing_from: string | null;
  missing_to: string | null;
  found_at: string;
  closed_at: string | null;
}

export interface Sources {
  devices: Device[];
  gaps: Gap[];
  dead_letters: { reason: string; letters: number; readings: number; newest: string }[];
}

export interface Ready {
  ready: boolean;
  parts: { name: string; ok: boolean; detail: string }[];
}

export interface Me {
  name: string;
  role: "viewer" | "engineer" | "admin";
  areas: string[];
}

export interface Operand {
  name: string;
  title: string;
  unit: string;
  made_of: string[];
}

export interface Kpi {
  id: string;
  title: string;
  unit: string;
  description: string;
  formula: string;
  inputs: Operand[];
  asset_types: string[];
  valid: [number, number];
  minimum_coverage: number;
  source: string;
  parameter_sets: Record<string, string>;
}

export interface InputValue {
  input: string;
  unit: string;
  value: number;
  coverage: number;
  good: number;
  tags: number;
  readings: number;
}

export interface KpiRow {
  start: string;
  end: string;
  value: number | null;
  coverage: number;
  reason: string | null;
  inputs?: InputValue[];
}

export interface KpiSeries {
  kpi: string;
  title: string;
  unit: string;
  asset: string;
  formula: string;
  source: string;
  parameter_set: string;
  start: string;
  end: string;
  rows: KpiRow[];
  tags?: Record<string, string[]>;
}

/** What a pixel of a trend shows. */
export interface PlotRow {
  tag: string;
  start: string;
  end: string;
  coverage: number;
  first: number | null;
  min: number | null;
  max: number | null;
  last: number | null;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
}

export const GOOD = 192;
export const UNCERTAIN = 64;
export const STALE = 500;
