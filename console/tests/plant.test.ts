import { expect, test } from "vitest";
import { byNeed, inArea } from "../src/plant/alarms";
import { queryOf } from "../src/plant/api";
import { byHour, shares, wholeHours } from "../src/plant/ledger";
import type { Alarm, LedgerEntry, Newest } from "../src/plant/types";
import { believed } from "../src/plant/worth";

const alarm = (id: number, given: Partial<Alarm>): Alarm => ({
  id,
  name: "",
  asset: "smelter",
  source: "",
  bound: "high",
  limit: 0,
  unit: null,
  priority: "low",
  group: "",
  state: "unacknowledged",
  since: null,
  active: true,
  known: true,
  value: null,
  first_out: false,
  shelved_until: null,
  ...given,
});

test("what is urgent stands first, then what nobody has seen, then what is new", () => {
  const ordered = byNeed([
    alarm(1, { priority: "low", since: "2026-01-01T00:00:00Z" }),
    alarm(2, { priority: "low", since: "2026-01-02T00:00:00Z" }),
    alarm(3, { priority: "low", state: "acknowledged", since: "2026-01-03T00:00:00Z" }),
    alarm(4, { priority: "high", state: "acknowledged" }),
  ]);
  expect(ordered.map((one) => one.id)).toEqual([4, 2, 1, 3]);
});

test("an area holds itself and what lies below it, not what begins like it", () => {
  const held = ["smelter/line-1", "smelter/line-1/pot-1", "smelter/line-10"].map((asset) =>
    inArea({ asset }, "smelter/line-1"),
  );
  expect(held).toEqual([true, true, false]);
});

const reading = (value: number | null, quality: number): Newest => ({ tag: "", ts: "", value, quality, unit: "", reason: null });

test("one value that is bad, stale or missing makes the whole unknown", () => {
  expect(believed([reading(1, 192), reading(2, 64)])).toEqual([1, 2]);
  for (const other of [reading(2, 0), reading(2, 500), reading(null, 192), null])
    expect(believed([reading(1, 192), other])).toBeNull();
});

test("a query leaves out what is not given and repeats what is many", () => {
  expect(queryOf({ tag: ["a/*", "b"], every: undefined, limit: 5 })).toBe("?tag=a%2F*&tag=b&limit=5");
});

const entry = (hour: number, asset: string, value: number | null): LedgerEntry => ({
  start: new Date(hour * 3_600_000).toISOString(),
  account: "generation",
  asset,
  unit: "MWh",
  value,
});

test("an hour of which one farm is not known is not known", () => {
  const { times, accounts } = byHour([
    entry(1, "wind", 2),
    entry(0, "wind", 1),
    entry(0, "sun", 3),
    entry(1, "sun", null),
    entry(2, "wind", null),
    entry(2, "sun", 4),
  ]);
  expect(times).toEqual([0, 3600, 7200]);
  expect(accounts.get("generation")).toEqual([4, null, null]);
});

test("a share of nothing is none", () => {
  expect(shares([1, null, 1], [4, 4, 0])).toEqual([25, null, null]);
});

test("the ledger is asked for hours that are over", () => {
  const span = wholeHours(Date.parse("2026-11-22T01:59:59Z"), 24);
  expect(span).toEqual({ from: "2026-11-21T01:00:00.000Z", to: "2026-11-22T01:00:00.000Z" });
});
