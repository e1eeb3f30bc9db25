/** What a shift, day or month came to, beside the period before it; made for paper too. */

import { useEffect } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { Table } from "../parts/Table";
import { comparison, get, type Span } from "../plant/api";
import { show } from "../plant/live";
import { catalogue, site } from "../plant/tree";
import type { AlarmEvent, AlarmStatistics, Asset, Compared, Comparison, Shift } from "../plant/types";
import { ask, place } from "../route";
import { fill, number, percent, plain, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";
import { EventTable, Served } from "./Alarms";
import { type PeriodName, PERIODS } from "./period";

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

function Scores({ scores }: { scores: readonly Compared[] }) {
  const { report, target } = words.value;
  return (
    <Table
      heads={[report.kpi, report.value, report.before, report.change, target, report.coverage]}
      numbers={[1, 2, 3, 4, 5]}
      rows={scores.map((one) => ({
        key: one.kpi,
        cells: [
          kpiTitle(one.kpi, catalogue.value.get(one.kpi)?.title ?? one.kpi),
          <span class={one.met === false ? "is-late" : ""} title={one.reason ?? ""}>
            {number(one.value)} {unit(one.unit)}
          </span>,
          number(one.previous),
          `${one.change !== null && one.change > 0 ? "+" : ""}${number(one.change)}`,
          one.target === null ? "–" : plain(one.target),
          <span class={one.coverage < COVERED ? "is-late" : ""}>{percent(one.coverage)}</span>,
        ],
      }))}
    />
  );
}

function Sections({ found, root }: { found: Comparison; root: Asset }) {
  const { report } = words.value;
  const at = (text: string): string => time(Date.parse(text), "full");
  return (
    <>
      <p class="quiet">
        {at(found.start)} – {at(found.end)},{" "}
        {fill(report.compared, { from: at(found.compared_from), to: at(found.start) })}
        {found.signed.map((one) => ` · ${fill(report.signed, { who: one.who })}`)}
      </p>
      {scopes(root).map(({ asset, kpis }) => (
        <section class="panel" key={asset.path} aria-label={asset.title}>
          <h2>{asset === root ? report.site : asset.title}</h2>
          <Scores scores={found.rows.filter((one) => one.asset === asset.path && kpis.has(one.kpi))} />
        </section>
      ))}
    </>
  );
}

function Rang({ period }: { period: Span }) {
  const fetched = useFetched(
    (signal) =>
      Promise.all([
        get<AlarmStatistics>("/alarms/statistics", { ...period }, signal),
        get<{ events: AlarmEvent[] }>("/alarms/history", { ...period, limit: EVENTS }, signal),
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
function Crew({ period }: { period: Span }) {
  const fetched = useFetched(
    (signal) => get<{ shifts: Shift[] }>("/shifts", { ...period }, signal),
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
  const named = place.value.query.get("period");
  const name: PeriodName = named !== null && named in PERIODS ? (named as PeriodName) : "shift";
  const period: Span = PERIODS[name];
  const fetched = useFetched(
    async (signal) => comparison(root ? scopes(root).map(({ asset }) => asset.path) : [], period, signal),
    [root, period],
  );
  const { page, report } = words.value;
  if (!root) return null;
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
      <Loaded fetched={fetched}>{(found) => <Sections found={found} root={root} />}</Loaded>
      <Rang period={period} />
    </div>
  );
}
