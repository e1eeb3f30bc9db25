/** The green-aluminium ledger: energy of whole hours, and what they come to. */

import { get, type Span } from "./api";
import type { LedgerEntry, StatementLine } from "./types";

const HOUR_MS = 3_600_000;

/** The last *hours* that are over, as the ledger wants them: from the start of an hour, UTC. */
export function wholeHours(nowMs: number, hours: number): Span {
  const end = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  return { from: new Date(end - hours * HOUR_MS).toISOString(), to: new Date(end).toISOString() };
}

export type Column = (number | null)[];

export interface Hours {
  /** Starts [s since 1970]. */
  times: number[];
  /** By account, the sum of its assets [MWh]; null where one of them is not known. */
  accounts: Map<string, Column>;
}

/** Entries as columns, an account each. */
export function byHour(entries: readonly LedgerEntry[]): Hours {
  const times = [...new Set(entries.map((one) => Date.parse(one.start) / 1000))].sort((a, b) => a - b);
  const places = new Map(times.map((at, place) => [at, place]));
  const accounts = new Map<string, Column>();
  const begun = new Set<string>();
  for (const one of entries) {
    const column = accounts.get(one.account) ?? Array<number | null>(times.length).fill(null);
    accounts.set(one.account, column);
    const place = places.get(Date.parse(one.start) / 1000) ?? 0;
    const cell = `${one.account} ${place}`;
    const sum = begun.has(cell) ? (column[place] ?? null) : 0;
    column[place] = one.value === null || sum === null ? null : sum + one.value;
    begun.add(cell);
  }
  return { times, accounts };
}

/** Shares of *of* in *by* [%], hour by hour. */
export function shares(of: Column, by: Column): Column {
  return of.map((value, place) => {
    const whole = by[place];
    return value === null || !whole ? null : (100 * value) / whole;
  });
}

export async function entries(span: Span, signal?: AbortSignal): Promise<LedgerEntry[]> {
  return (await get<{ rows: LedgerEntry[] }>("/ledger", { ...span }, signal)).rows;
}

export async function statement(span: Span, signal?: AbortSignal): Promise<StatementLine[]> {
  return (await get<{ lines: StatementLine[] }>("/ledger/statement", { ...span }, signal)).lines;
}
