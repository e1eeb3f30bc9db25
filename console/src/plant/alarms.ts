/** Alarms: what people do to them, and what they say of KPIs. */

import { assetAt, catalogue } from "./tree";
import { get, post } from "./api";
import { standing } from "./live";
import type { Alarm, AlarmState, Priority } from "./types";

/** Those that an operator has to look at (ISA-18.2: annunciated). */
export const RINGING: readonly AlarmState[] = ["unacknowledged", "acknowledged", "returned"];
const STATES: readonly AlarmState[] = [...RINGING, "normal", "shelved", "out_of_service", "unknown"];
const URGENCY: readonly Priority[] = ["high", "medium", "low"];
const NEED: readonly AlarmState[] = ["unacknowledged", "returned", "acknowledged"];

export const rings = (one: Alarm): boolean => RINGING.includes(one.state);

/** What is urgent first, of that what nobody has seen, of that what is new. */
export function byNeed(alarms: readonly Alarm[]): Alarm[] {
  return [...alarms].sort(
    (a, b) =>
      URGENCY.indexOf(a.priority) - URGENCY.indexOf(b.priority) ||
      NEED.indexOf(a.state) - NEED.indexOf(b.state) ||
      (b.since ?? "").localeCompare(a.since ?? "") ||
      a.id - b.id,
  );
}

export const inArea = (one: { asset: string }, area: string): boolean =>
  one.asset === area || one.asset.startsWith(`${area}/`);

/** Whether the alarm is of a KPI; else its source is a tag. */
export const isOfKpi = (one: Alarm): boolean => catalogue.value.has(one.source);

export const assetTitle = (path: string): string => assetAt(path)?.title || path;

export type Act = "acknowledge" | "shelve" | "unshelve" | "restore";

/** What may be done to an alarm in this state. */
export const ACTS: Readonly<Partial<Record<AlarmState, readonly Act[]>>> = {
  unacknowledged: ["acknowledge", "shelve"],
  returned: ["acknowledge", "shelve"],
  acknowledged: ["shelve"],
  shelved: ["unshelve"],
  out_of_service: ["restore"],
};

/** Do it, and show what came of it at once; the stream says it to all others. */
export async function act(
  one: Alarm,
  what: Act,
  body: { reason?: string; minutes?: number } = {},
): Promise<void> {
  const after = await post<Alarm>(`/alarms/${one.id}/${what}`, body);
  standing.value = (standing.value ?? []).map((known) => (known.id === after.id ? after : known));
}

/** The alarms on KPIs of an asset, whatever their state: their limits are the KPIs' targets. */
export async function targets(asset: string, signal?: AbortSignal): Promise<Alarm[]> {
  const answer = await get<{ alarms: Alarm[] }>("/alarms", { area: asset, state: STATES }, signal);
  return answer.alarms.filter((one) => one.asset === asset && isOfKpi(one));
}
