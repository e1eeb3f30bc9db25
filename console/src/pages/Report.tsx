/** What a shift, day or month came to: KPIs, alarms, gaps, signature; made for paper too. */

import { useEffect, useState } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { SignForm } from "../parts/SignForm";
import { Table } from "../parts/Table";
import { get, queryOf } from "../plant/api";
import { show } from "../plant/live";
import { acts, me } from "../plant/person";
import { catalogue, site } from "../plant/tree";
import type { Asset, ReportLine, ReportNow } from "../plant/types";
import { ask, place } from "../route";
import { duration, fill, number, percent, plain, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";
import { type PeriodName, PERIODS } from "./period";

/** Below this share of the period a value is worth a second look. */
const COVERED = 0.9;
/** A report of what runs is asked for again: its last minute is always the last closed one. */
const AGAIN_MS = 60_000;

const at = (text: string | null): string => (text === null ? "–" : time(Date.parse(text), "full"));
const titleOf = (kpi: string): string => kpiTitle(kpi, catalogue.value.get(kpi)?.title ?? kpi);

/** The site, its areas and lines: whatever has a report worth a page. */
function subjects(root: Asset): Asset[] {
  const areas = root.children.filter((one) => one.kpis.length > 0);
  return [root, ...areas.flatMap((area) => [area, ...area.children.filter((one) => one.level === "line")])];
}

function targetOf(one: ReportLine): string {
  if (one.target === null) return "–";
  return `${one.better === "lower" ? "≤" : "≥"} ${plain(one.target)}`;
}

function Scores({ found }: { found: ReportNow }) {
  const { report } = words.value;
  return (
    <Table
      heads={[report.kpi, report.value, report.target, report.before, report.change, report.coverage]}
      numbers={[1, 2, 3, 4, 5]}
      rows={found.report.kpis.map((one) => ({
        key: one.kpi,
        cells: [
          titleOf(one.kpi),
          <span class={one.met === false ? "is-late" : ""} title={one.reason ?? ""}>
            {number(one.value)} {one.value === null ? "" : unit(one.unit)}
          </span>,
          targetOf(one),
          number(one.previous),
          `${one.change !== null && one.change > 0 ? "+" : ""}${number(one.change)}`,
          <span class={one.coverage < COVERED ? "is-late" : ""}>{percent(one.coverage)}</span>,
        ],
      }))}
    />
  );
}

/** Which period this is, whether it may still change, and what came too late for it. */
function Standing({ found, again }: { found: ReportNow; again: () => void }) {
  const { report, late } = found;
  const { report: said } = words.value;
  const { period } = report;
  const over = Date.parse(report.until) >= Date.parse(period.end);
  return (
    <section class="panel" aria-label={said.status}>
      <p>
        <strong>{period.name}</strong>
        {period.crew && `, ${fill(said.crew, { crew: period.crew })}`}: {at(period.start)} – {at(period.end)}
        {!over && `, ${fill(said.upTo, { time: at(report.until) })}`} ·{" "}
        <strong>{report.status === "signed" ? said.isSigned : said.preliminary}</strong>
      </p>
      {report.signed.map((one) => (
        <p key={one.name}>{fill(said.signed, { name: one.name, who: one.by, time: at(one.at), reason: one.reason })}</p>
      ))}
      {report.signed.length > 0 && (
        <p class={late.hours ? "is-late" : "quiet"}>
          {late.hours ? fill(said.late, { hours: late.hours, tags: late.tags.length }) : said.noLate}
        </p>
      )}
      {late.effects.length > 0 && (
        <Table
          heads={[said.kpi, said.asSigned, said.wouldBe]}
          numbers={[1, 2]}
          rows={late.effects.map((one) => ({
            key: one.kpi,
            cells: [titleOf(one.kpi), `${number(one.signed)} ${unit(one.unit)}`, `${number(one.reopened)} ${unit(one.unit)}`],
          }))}
        />
      )}
      <p class="quiet">
        {found.complete_as_of ? fill(said.complete, { time: at(found.complete_as_of) }) : said.incomplete}
        {report.compared_from && ` · ${fill(said.compared, { from: at(report.compared_from), to: at(period.start) })}`}
      </p>
      <p class="digest">
        {said.digest}: {found.sha256}
      </p>
      {over && report.status !== "signed" && (acts.value ? (
        <SignForm name={period.name} signed={again} />
      ) : (
        me.value && <p class="quiet no-print">{fill(said.needs, { name: me.value.name, role: me.value.role })}</p>
      ))}
    </section>
  );
}

function Rang({ found }: { found: ReportNow }) {
  const { report: said, alarms } = words.value;
  const { raised, by_priority, longest, floods } = found.report.alarms;
  const counts = (["high", "medium", "low"] as const).map((one) => `${alarms.priority[one]} ${by_priority[one]}`);
  return (
    <section class="panel" aria-label={said.alarms}>
      <h2>{said.alarms}</h2>
      <p class="quiet">
        {raised ? `${fill(said.raised, { count: raised })} (${counts.join(", ")})` : said.noAlarms}
        {floods.length > 0 && ` · ${fill(said.floods, { count: floods.length })}`}
      </p>
      {longest.length > 0 && (
        <Table
          heads={[alarms.columns.alarm, alarms.columns.priority, said.times, said.active]}
          numbers={[2, 3]}
          rows={longest.map((one) => ({
            key: one.name,
            cells: [one.name, alarms.priority[one.priority], plain(one.times), duration(one.seconds * 1000)],
          }))}
        />
      )}
    </section>
  );
}

function Gaps({ found }: { found: ReportNow }) {
  const { health } = words.value;
  return (
    <section class="panel" aria-label={health.gaps}>
      <h2>{health.gaps}</h2>
      {found.gaps.length === 0 && <p class="quiet">{health.noGaps}</p>}
      {found.gaps.length > 0 && (
        <Table
          heads={[health.source, health.cause, health.from, health.to, health.closed]}
          rows={found.gaps.map((one) => ({
            key: `${one.source} ${one.found_at}`,
            cells: [
              one.source,
              one.cause,
              at(one.start),
              at(one.end),
              one.closed_at ? at(one.closed_at) : <span class="is-late">{health.open}</span>,
            ],
          }))}
        />
      )}
    </section>
  );
}

export function Report() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const [signings, setSignings] = useState(0);
  const root = site.value;
  const { query } = place.value;
  const named = query.get("period");
  const name: PeriodName = named !== null && named in PERIODS ? (named as PeriodName) : "shift";
  const all = root ? subjects(root) : [];
  const asset = all.find((one) => one.path === query.get("asset")) ?? root;
  const { kind, at: when } = PERIODS[name];
  const asked = { asset: asset?.path, at: when };
  const fetched = useFetched(
    (signal) => get<ReportNow>(`/reports/${kind}`, asked, signal),
    [name, asset?.path, signings],
    AGAIN_MS,
  );
  const { page, report } = words.value;
  if (!asset) return null;
  const file = (format: string): string => `/api/v1/reports/${kind}${queryOf({ ...asked, format })}`;
  return (
    <div class="report">
      <h1>
        {page.report}: {asset.title}
      </h1>
      <div class="row no-print">
        <Choice
          visible
          label={report.period}
          options={Object.fromEntries((Object.keys(PERIODS) as PeriodName[]).map((one) => [one, report[one]]))}
          chosen={name}
          choose={(one) => ask({ period: one })}
        />
        <Choice
          visible
          label={report.asset}
          options={Object.fromEntries(all.map((one) => [one.path, one.title]))}
          chosen={asset.path}
          choose={(one) => ask({ asset: one })}
        />
        <button type="button" onClick={() => print()}>
          {report.print}
        </button>
        <a href={file("html")} target="_blank" rel="noopener">
          {report.page}
        </a>
        <a href={file("csv")} download={`${asset.path.replaceAll("/", "-")}-${name}.csv`}>
          {report.table}
        </a>
      </div>
      <Loaded fetched={fetched}>
        {(found) => (
          <>
            <Standing found={found} again={() => setSignings((known) => known + 1)} />
            <section class="panel" aria-label={asset.title}>
              <Scores found={found} />
            </section>
            <Rang found={found} />
            <Gaps found={found} />
          </>
        )}
      </Loaded>
    </div>
  );
}
