/** What a shift, day or month came to, beside the period before it; made for paper too. */

import { useEffect } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { Table } from "../parts/Table";
import { get, scorecard } from "../plant/api";
import { show } from "../plant/live";
import { site } from "../plant/tree";
import type { AlarmEvent, AlarmStatistics, Asset, Score, Scorecard, Shift } from "../plant/types";
import { ask, place } from "../route";
import { fill, number, percent, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";
import { EventTable, Served } from "./Alarms";
import { change, type Period, type PeriodName, PERIODS, spanBefore } from "./period";

/** Below this share of the period a value is worth a second look. */
const COVERED = 0.9;
const EVENTS = 200;

/** Of the site only what none of its areas has: that stands below the areas already. */
function scopes(root: Asset): { asset: Asset; kpis: ReadonlySet<string> }[] {
  const areas = root.children.filter((one) => one.kpis.length > 0);
  const taken = new Set(areas.flatMap((one) => one.kpis));
  const own = root.kpis.filter((kpi) => !taken.has(kpi));
  return [
    { asset: root, kpis: new Set(own) },
    ...areas.map((asset) => ({ asset, kpis: new Set(asset.kpis) })),
  ].filter(({ kpis }) => kpis.size > 0);
}

function Scores({ scores, before }: { scores: readonly Score[]; before: ReadonlyMap<string, Score> }) {
  const { report } = words.value;
  return (
    <Table
      heads={[report.kpi, report.value, report.before, report.change, report.coverage]}
      numbers={[1, 2, 3, 4]}
      rows={scores.map((one) => {
        const earlier = before.get(one.kpi)?.value ?? null;
        const changed = change(one.value, earlier);
        return {
          key: one.kpi,
          cells: [
            kpiTitle(one.kpi, one.title),
            <span title={one.reason ?? ""}>
              {number(one.value)} {unit(one.unit)}
            </span>,
            `${number(earlier)} ${unit(one.unit)}`,
            changed === null ? "–" : `${changed > 0 ? "+" : ""}${percent(changed, 1)}`,
            <span class={one.coverage < COVERED ? "is-late" : ""}>{percent(one.coverage)}</span>,
          ],
        };
      })}
    />
  );
}

function Section({ asset, kpis, period }: { asset: Asset; kpis: ReadonlySet<string>; period: Period }) {
  const fetched = useFetched(
    async (signal) => {
      const now = await scorecard(asset.path, period.span, signal);
      const before = await scorecard(asset.path, period.before ?? spanBefore(now), signal);
      return { now, before };
    },
    [asset.path, period],
  );
  const { report } = words.value;
  const full = (card: Scorecard): Record<string, string> => ({
    from: time(Date.parse(card.start), "full"),
    to: time(Date.parse(card.end), "full"),
  });
  return (
    <section class="panel" aria-label={asset.title}>
      <h2>{asset === site.value ? report.site : asset.title}</h2>
      <Loaded fetched={fetched}>
        {({ now, before }) => (
          <>
            <p class="quiet">
              {full(now).from} – {full(now).to}, {fill(report.compared, full(before))}
              {now.signed.map((one) => ` · ${fill(report.signed, { who: one.who })}`)}
            </p>
            <Scores
              scores={now.kpis.filter((one) => kpis.has(one.kpi))}
              before={new Map(before.kpis.map((one) => [one.kpi, one]))}
            />
          </>
        )}
      </Loaded>
    </section>
  );
}

function Rang({ period }: { period: Period }) {
  const fetched = useFetched(
    (signal) =>
      Promise.all([
        get<AlarmStatistics>("/alarms/statistics", { ...period.span }, signal),
        get<{ events: AlarmEvent[] }>("/alarms/history", { ...period.span, limit: EVENTS }, signal),
      ]),
    [period],
  );
  const { report } = words.value;
  return (
    <section class="panel" aria-label={report.alarms}>
      <h2>{report.alarms}</h2>
      <Loaded fetched={fetched}>
        {([found, { events }]) => (
          <>
            <Served found={found} />
            <EventTable events={events.filter((one) => one.event === "raise" || one.who !== null)} />
          </>
        )}
      </Loaded>
    </section>
  );
}

/** Who worked: the shifts of the period, where it is one of shifts. */
function Crew({ period }: { period: Period }) {
  const fetched = useFetched(
    (signal) => get<{ shifts: Shift[] }>("/shifts", { ...period.span }, signal),
    [period],
  );
  const { report } = words.value;
  if (fetched.state !== "there") return null;
  return (
    <span class="quiet">
      {fetched.answer.shifts
        .map((one) => `${one.pattern}, ${one.name}${one.crew ? `, ${fill(report.crew, { crew: one.crew })}` : ""}`)
        .join(" · ")}
    </span>
  );
}

export function Report() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const root = site.value;
  const { page, report } = words.value;
  if (!root) return null;
  const named = place.value.query.get("period");
  const name: PeriodName = named !== null && named in PERIODS ? (named as PeriodName) : "shift";
  const period: Period = PERIODS[name];
  return (
    <div class="report">
      <h1>
        {page.report}: {root.title}
      </h1>
      <div class="row">
        <Choice
          visible
          label={report.period}
          options={Object.fromEntries((Object.keys(PERIODS) as PeriodName[]).map((one) => [one, report[one]]))}
          chosen={name}
          choose={(one) => ask({ period: one })}
        />
        {name.toLowerCase().includes("shift") && <Crew period={period} />}
        <button type="button" class="no-print" onClick={() => print()}>
          {report.print}
        </button>
      </div>
      {scopes(root).map(({ asset, kpis }) => (
        <Section key={asset.path} asset={asset} kpis={kpis} period={period} />
      ))}
      <Rang period={period} />
    </div>
  );
}
