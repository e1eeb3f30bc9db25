/** KPIs of an asset: value, course, and how each was computed down to its tags. */

import { useEffect, useState } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { coverageText } from "../parts/coverage";
import { Sparkline } from "../parts/Sparkline";
import { useSeen } from "../parts/seen";
import { targets } from "../plant/alarms";
import { comparison, kpiSeries } from "../plant/api";
import { show } from "../plant/live";
import { assetAt, below, catalogue, site } from "../plant/tree";
import type { Alarm, Asset, Compared, Kpi } from "../plant/types";
import { ask, linkTo, place } from "../route";
import { fill, number, percent, plain, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";
import { type SpanName, spanNamed, SPANS } from "./spans";

/** Scores follow the closed minutes. */
const SCORES_MS = 60_000;

function Lineage({ kpi, asset, span }: { kpi: Kpi; asset: string; span: SpanName }) {
  const { from, to } = SPANS[span];
  const fetched = useFetched(
    (signal) => kpiSeries(kpi.id, asset, { from, to }, undefined, true, signal),
    [kpi.id, asset, span],
  );
  const { lineage, coverage, limits } = words.value;
  return (
    <Loaded fetched={fetched}>
      {(series) => (
        <dl class="lineage">
          <dt>{lineage.formula}</dt>
          <dd>
            <code>
              {kpi.id} = {kpi.formula}
            </code>
            , {fill(limits, { low: plain(kpi.valid[0]), high: plain(kpi.valid[1]) })} {unit(kpi.unit)}
          </dd>
          <dt>{lineage.inputs}</dt>
          <dd>
            <ul>
              {series.rows[0]?.inputs?.map((input) => (
                <li key={input.input}>
                  <code>{input.input}</code> = {number(input.value)} {unit(input.unit)},{" "}
                  {fill(coverage, { share: percent(input.coverage) })},{" "}
                  {fill(lineage.readings, { count: input.readings, tags: input.tags })}
                </li>
              ))}
            </ul>
          </dd>
          <dt>{lineage.parameters}</dt>
          <dd>{series.parameter_set}</dd>
          <dt>{lineage.source}</dt>
          <dd>{series.source}</dd>
        </dl>
      )}
    </Loaded>
  );
}

/** What a value has to stay within: the limits of the alarms on it. */
function limitsOf(alarms: readonly Alarm[]): { low?: number; high?: number } {
  const limits = (side: "low" | "high"): number[] =>
    alarms.filter((one) => one.bound.startsWith(side)).map((one) => one.limit);
  const [lows, highs] = [limits("low"), limits("high")];
  return {
    ...(lows.length ? { low: Math.max(...lows) } : {}),
    ...(highs.length ? { high: Math.min(...highs) } : {}),
  };
}

/** The buckets that no edge of the span has cut: a sum over half an hour is no fall to a half. */
function whole<Bucket extends { start: string; end: string }>(rows: readonly Bucket[]): Bucket[] {
  const lengths = rows.map((one) => Date.parse(one.end) - Date.parse(one.start));
  // Days of 23 hours are whole too.
  return rows.filter((_, place) => (lengths[place] ?? 0) > 0.9 * Math.max(...lengths));
}

function Course({ kpi, asset, span, low, high }: { kpi: Kpi; asset: string; span: SpanName; low?: number; high?: number }) {
  const { from, to, every } = SPANS[span];
  const fetched = useFetched(
    (signal) => kpiSeries(kpi.id, asset, { from, to }, every, false, signal),
    [kpi.id, asset, span],
  );
  if (fetched.state !== "there") return null;
  const { start, end } = fetched.answer;
  const rows = whole(fetched.answer.rows);
  const label = `${kpiTitle(kpi.id, kpi.title)}, ${time(Date.parse(start), "full")} – ${time(Date.parse(end), "full")}`;
  return <Sparkline values={rows.map((one) => one.value)} low={low ?? null} high={high ?? null} label={label} />;
}

interface Card {
  kpi: Kpi;
  asset: string;
  span: SpanName;
  score: Compared | undefined;
  alarms: readonly Alarm[];
  open: boolean;
}

function KpiCard({ kpi, asset, span, score, alarms, open }: Card) {
  const [shown, setShown] = useState(open);
  const [place, seen] = useSeen<HTMLElement>();
  const { low, high } = limitsOf(alarms);
  const value = score?.value ?? null;
  const beyond = value !== null && ((low !== undefined && value < low) || (high !== undefined && value > high));
  const { lineage, target, alarms: alarm, report } = words.value;
  const bounds = [low !== undefined && `< ${plain(low)}`, high !== undefined && `> ${plain(high)}`].filter(Boolean);
  return (
    <article class={`panel kpi${shown ? " is-open" : ""}${beyond ? " is-out" : score?.met === false ? " is-off" : ""}`} id={`kpi-${kpi.id}`} data-kpi={kpi.id} ref={place}>
      <h2>{kpiTitle(kpi.id, kpi.title)}</h2>
      <p class="tile-value">
        <span class="value-number">{number(value)}</span>
        <span class="value-unit">{unit(kpi.unit)}</span>
      </p>
      <p class="tile-note">
        {score && coverageText(score, kpi)}
        {score?.target != null && ` · ${target} ${plain(score.target)} ${unit(kpi.unit)}`}
        {bounds.length > 0 && ` · ${alarm.columns.alarm} ${bounds.join(", ")} ${unit(kpi.unit)}`}
      </p>
      <p class="tile-note">
        {score?.previous != null && `${report.before}: ${number(score.previous)} ${unit(kpi.unit)}`}
      </p>
      <div class="course">
        {seen && <Course kpi={kpi} asset={asset} span={span} {...limitsOf(alarms)} />}
      </div>
      <button type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {lineage.show}
      </button>
      {shown && <Lineage kpi={kpi} asset={asset} span={span} />}
    </article>
  );
}

/** All KPIs in one request; the course of each is asked for when its card comes into sight. */
function Cards({ asset, span, opened }: { asset: Asset; span: SpanName; opened: string | null }) {
  const { from, to } = SPANS[span];
  const fetched = useFetched((signal) => comparison([asset.path], { from, to }, signal), [asset.path, span], SCORES_MS);
  const limits = useFetched((signal) => targets(asset.path, signal), [asset.path]);
  const declared = asset.kpis.flatMap((id) => catalogue.value.get(id) ?? []);
  const ordered = [...declared].sort((a, b) => Number(b.id === opened) - Number(a.id === opened));
  const alarms = limits.state === "there" ? limits.answer : [];
  return (
    <Loaded fetched={fetched}>
      {(card) => (
        <div class="cards">
          {ordered.map((kpi) => (
            <KpiCard
              key={kpi.id + asset.path}
              kpi={kpi}
              asset={asset.path}
              span={span}
              score={card.rows.find((one) => one.kpi === kpi.id)}
              alarms={alarms.filter((one) => one.source === kpi.id)}
              open={kpi.id === opened}
            />
          ))}
        </div>
      )}
    </Loaded>
  );
}

export function Kpis() {
  const { rest, query } = place.value;
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const root = site.value;
  const { kpis, span: spans, choose } = { ...words.value, kpis: words.value.page.kpis };
  if (!root) return null;
  const asset = assetAt(rest) ?? root;
  const span = spanNamed(query.get("span"));
  const places = [...below(root)].filter((one) => one.level !== "unit" && one.kpis.length > 0);
  const offered = Object.fromEntries([...new Set([...places, asset])].map((one) => [one.path, one.title]));
  const opened = query.get("kpi");
  return (
    <>
      <h1>
        {kpis}: {asset.title}
      </h1>
      <div class="row">
        <Choice
          label={choose}
          options={offered}
          chosen={asset.path}
          choose={(path) => location.assign(linkTo("kpis", path, { span }))}
        />
        {(Object.keys(SPANS) as SpanName[]).map((name) => (
          <button
            type="button"
            key={name}
            aria-pressed={name === span}
            onClick={() => ask({ ...(opened ? { kpi: opened } : {}), span: name })}
          >
            {spans[name]}
          </button>
        ))}
      </div>
      <Cards asset={asset} span={span} opened={opened} />
    </>
  );
}
