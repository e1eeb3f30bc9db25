/** Requests to the API. Every failure is an `ApiError` with the problem that the API told. */

import { signal } from "@preact/signals";
import type { Asset, Comparison, Kpi, KpiSeries, PlotRow, Problem, Ready, Tag } from "./types";

/** Whether the API has asked for a key. */
export const refused = signal(false);

export class ApiError extends Error {
  readonly status: number;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

const BASE = "/api/v1";

export function queryOf(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [String(value)]) given.append(name, one);
  }
  const text = given.toString();
  return text ? `?${text}` : "";
}

export async function get<Answer>(
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Answer> {
  return answered(await fetch(BASE + path + queryOf(query), signal ? { signal } : {}));
}

export async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  return answered(
    await fetch(BASE + path, { method: "POST", headers, body: JSON.stringify(body) }),
  );
}

/** Hand a key to the API, which gives it back as a cookie that no script can read. */
export async function enter(key: string): Promise<void> {
  const headers = { Authorization: `Bearer ${key}` };
  await answered(await fetch(`${BASE}/session`, { method: "POST", headers }), false);
}

/** Have the cookie taken away. */
export async function leave(): Promise<void> {
  await answered(await fetch(`${BASE}/session`, { method: "DELETE" }));
}

async function answered<Answer>(response: Response, asks = true): Promise<Answer> {
  if (response.status === 401 && asks) refused.value = true;
  if (response.ok) return (response.status === 204 ? null : await response.json()) as Answer;
  const nothing = { title: response.statusText, status: response.status, detail: "" };
  throw new ApiError((await response.json().catch(() => nothing)) as Problem);
}

export const assets = (): Promise<Asset> => get("/assets");

export async function kpis(): Promise<Kpi[]> {
  return (await get<{ kpis: Kpi[] }>("/kpis")).kpis;
}

export async function tagsBelow(pattern: string): Promise<Tag[]> {
  return (await get<{ tags: Tag[] }>("/tags", { pattern, limit: 10_000 })).tags;
}

/** Some tags whose paths have these words in this order. */
export async function tagsLike(words: string, limit: number): Promise<Tag[]> {
  const pattern = ["", ...words.trim().split(/\s+/).slice(0, 5), ""].join("**").replace(/\*{3,}/g, "**");
  return (await get<{ tags: Tag[] }>("/tags", { pattern, limit })).tags;
}

/** The parts of the API: an answer also where one is missing (503). */
export async function ready(signal?: AbortSignal): Promise<Ready> {
  const response = await fetch("/health/ready", signal ? { signal } : {});
  return (await response.json()) as Ready;
}

export interface Span {
  from: string;
  to: string;
}

/** Every KPI of these assets in one request, each over the whole span. */
export const comparison = (asset: readonly string[], span: Span, signal?: AbortSignal): Promise<Comparison> =>
  get("/comparison", { asset, from: span.from, to: span.to }, signal);

export function kpiSeries(
  kpi: string,
  asset: string,
  span: Span,
  every?: string,
  lineage = false,
  signal?: AbortSignal,
): Promise<KpiSeries> {
  const query = { asset, ...span, every, lineage: lineage || undefined };
  return get(`/kpis/${encodeURIComponent(kpi)}`, query, signal);
}

export async function plot(
  tag: readonly string[],
  span: Span,
  pixels: number,
  signal?: AbortSignal,
): Promise<PlotRow[]> {
  const query = { tag, from: span.from, to: span.to, mode: "plot", pixels };
  return (await get<{ rows: PlotRow[] }>("/history", query, signal)).rows;
}
