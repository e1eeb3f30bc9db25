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

export interface LiveState {
  at: string;
  tags: Newest[];
  kpis: LiveKpi[];
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
