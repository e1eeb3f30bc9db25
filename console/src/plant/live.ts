/**
 * The one stream of live values. A page says what it shows (`show`); all else reads signals.
 *
 * The stream says something at least once a second. What has been silent for longer than
 * `SILENCE_MS` is lost, whatever the browser believes of its connection.
 */

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { queryOf } from "./api";
import { introduce } from "./person";
import type { Alarm, LiveKpi, LiveState, Newest } from "./types";

export const SILENCE_MS = 2_500;
/** Data older than this while the stream is up means that nothing arrives from the plant. */
export const BEHIND_MS = 30_000;

/** Values that change in one frame; all 724 pots of a map at once are a pause that is felt. */
const SLICE = 100;

export interface Selection {
  tags: readonly string[];
  kpis: readonly string[];
  window?: string;
}

export type Link = "connecting" | "live" | "lost" | "problem";

export const link = signal<Link>("connecting");
/** What the API says is wrong while it cannot compute the state. */
export const trouble = signal<string>("");
/** The server's time of the state that is shown [ms]. */
export const shownAt = signal<number>(0);
/** The newest source time of all that is shown [ms]. */
export const newestAt = signal<number>(0);
/** The alarms that ring or are kept quiet, the most urgent first; null until they are known. */
export const standing = signal<readonly Alarm[] | null>(null);

export const behind: ReadonlySignal<boolean> = computed(
  () => link.value === "live" && newestAt.value > 0 && shownAt.value - newestAt.value > BEHIND_MS,
);

const values = new Map<string, Signal<Newest | null>>();
const results = new Map<string, Signal<LiveKpi | null>>();

type Change = readonly [Signal<Newest | null>, Newest];
/** What has come and is not shown yet; what comes meanwhile takes its place. */
let waiting: Change[] = [];
let frame = 0;

let source: EventSource | null = null;
let selected = "";
let heardMs = 0;

/** The newest reading of a tag, as a signal that changes only when the reading does. */
export function valueOf(tag: string): Signal<Newest | null> {
  return known(values, tag);
}

export function kpiOf(kpi: string, asset: string): Signal<LiveKpi | null> {
  return known(results, `${kpi}@${asset}`);
}

function known<Value>(all: Map<string, Signal<Value | null>>, key: string): Signal<Value | null> {
  let found = all.get(key);
  if (!found) all.set(key, (found = signal<Value | null>(null)));
  return found;
}

/** Show these tags and KPIs from now on, and no others. Alarms are shown wherever one looks. */
export function show(selection: Selection): void {
  const query = queryOf({
    tag: selection.tags,
    kpi: selection.kpis,
    alarm: "**",
    window: selection.window ?? "1h",
  });
  if (query === selected) return;
  selected = query;
  newestAt.value = 0;
  open();
}

/** Open the stream anew, as whoever one is now. */
export function reopen(): void {
  open();
}

function open(): void {
  source?.close();
  source = null;
  if (!selected) return;
  source = new EventSource(`/api/v1/live${selected}`);
  heardMs = Date.now();
  source.addEventListener("state", (event) => take(JSON.parse(event.data) as LiveState));
  source.addEventListener("beat", (event) => hear(Date.parse((JSON.parse(event.data) as { at: string }).at)));
  source.addEventListener("problem", (event) => {
    heardMs = Date.now();
    trouble.value = (JSON.parse(event.data) as { detail: string }).detail;
    link.value = "problem";
  });
  // After an answer that is no stream the browser gives up for good; we do not.
  source.onerror = () => {
    link.value = "lost";
    if (source?.readyState === EventSource.CLOSED) void introduce();
  };
}

function hear(at: number): void {
  if (at > shownAt.value) heardMs = Date.now();
  shownAt.value = at;
  if (link.value !== "problem") link.value = "live";
}

function take(state: LiveState): void {
  const changed: Change[] = [];
  batch(() => {
    heardMs = Date.now();
    link.value = "live";
    shownAt.value = Date.parse(state.at);
    let newest = 0;
    for (const one of state.tags) {
      if (one.ts) newest = Math.max(newest, Date.parse(one.ts));
      const known = valueOf(one.tag);
      if (!same(known.value, one)) changed.push([known, one]);
    }
    if (newest) newestAt.value = newest;
    for (const one of state.kpis) kpiOf(one.kpi, one.asset).value = one;
    if (JSON.stringify(standing.value) !== JSON.stringify(state.alarms)) standing.value = state.alarms;
  });
  waiting = changed;
  if (!frame) pour();
}

/** Show what is waiting, frame by frame. */
function pour(): void {
  batch(() => {
    for (const [known, one] of waiting.splice(0, SLICE)) known.value = one;
  });
  frame = waiting.length ? requestAnimationFrame(pour) : 0;
}

function same(a: Newest | null, b: Newest): boolean {
  return a !== null && a.ts === b.ts && a.value === b.value && a.quality === b.quality;
}

/** Look once a second whether the stream still speaks; returns how to stop. */
export function watch(): () => void {
  const timer = setInterval(() => {
    if (!source || Date.now() - heardMs <= SILENCE_MS) return;
    link.value = "lost";
    if (source.readyState === EventSource.CLOSED || Date.now() - heardMs > 4 * SILENCE_MS) open();
  }, 500);
  return () => {
    clearInterval(timer);
    source?.close();
    source = null;
  };
}
