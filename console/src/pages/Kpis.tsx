/** KPIs of an asset: value, course, and how each was computed down to its tags. */

import { useState } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { Sparkline } from "../parts/Sparkline";
import { kpiSeries } from "../plant/api";
import { assetAt, below, catalogue, site } from "../plant/tree";
import type { Kpi, KpiSeries } from "../plant/types";
import { ask, linkTo, place } from "../route";
import { fill, number, percent, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";
import { type SpanName, spanNamed, SPANS } from "./spans";

function Lineage({ kpi, asset, span }: { kpi: Kpi; asset: string; span: SpanName }) {
  const { from, to } = SPANS[span];
  const fetched = useFetched(
    (signal) => kpiSeries(kpi.id, asset, { from, to }, undefined, true, signal),
    [kpi.id, asset, span],
  );
  const { lineage, coverage } = words.value;
  return (
    <Loaded fetched={fetched}>
      {(series) => (
        <dl class="lineage">
          <dt>{lineage.formula}</dt>
          <dd>
            <code>
              {kpi.id} = {kpi.formula}
            </code>
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

function total(series: KpiSeries): KpiSeries["rows"][number] | undefined {
  return series.rows[0];
}

function KpiCard({ kpi, asset, span, open }: { kpi: Kpi; asset: string; span: SpanName; open: boolean }) {
  const [shown, setShown] = useState(open);
  const { from, to, every } = SPANS[span];
  const fetched = useFetched(
    (signal) =>
      Promise.all([
        kpiSeries(kpi.id, asset, { from, to }, undefined, false, signal),
        kpiSeries(kpi.id, asset, { from, to }, every, false, signal),
      ]),
    [kpi.id, asset, span],
  );
  const title = kpiTitle(kpi.id, kpi.title);
  const { coverage, noValue, lineage, limits } = words.value;
  return (
    <article class="panel kpi" id={`kpi-${kpi.id}`} data-kpi={kpi.id}>
      <h2>{title}</h2>
      <Loaded fetched={fetched}>
        {([whole, buckets]) => {
          const row = total(whole);
          return (
            <>
              <p class="tile-value">
                <span class="value-number">{number(row?.value)}</span>
                <span class="value-unit">{unit(kpi.unit)}</span>
              </p>
              <p class="tile-note">
                {row && fill(coverage, { share: percent(row.coverage) })}
                {row && row.value === null && ` · ${fill(noValue, { reason: row.reason ?? "" })}`}
                {" · "}
                {fill(limits, { low: number(kpi.valid[0]), high: number(kpi.valid[1]) })}
              </p>
              <Sparkline
                values={buckets.rows.map((one) => one.value)}
                label={`${title}, ${time(Date.parse(buckets.start), "full")} – ${time(Date.parse(buckets.end), "full")}`}
              />
            </>
          );
        }}
      </Loaded>
      <button type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {lineage.show}
      </button>
      {shown && <Lineage kpi={kpi} asset={asset} span={span} />}
    </article>
  );
}

export function Kpis() {
  const { rest, query } = place.value;
  const root = site.value;
  const { kpis, span: spans, choose } = { ...words.value, kpis: words.value.page.kpis };
  if (!root) return null;
  const asset = assetAt(rest) ?? root;
  const span = spanNamed(query.get("span"));
  const places = [...below(root)].filter((one) => one.level !== "unit" && one.kpis.length > 0);
  const offered = Object.fromEntries([...new Set([...places, asset])].map((one) => [one.path, one.title]));
  const declared = asset.kpis.flatMap((id) => catalogue.value.get(id) ?? []);
  const opened = query.get("kpi");
  const ordered = [...declared].sort((a, b) => Number(b.id === opened) - Number(a.id === opened));
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
      <div class="cards">
        {ordered.map((kpi) => (
          <KpiCard key={kpi.id + asset.path} kpi={kpi} asset={asset.path} span={span} open={kpi.id === opened} />
        ))}
      </div>
    </>
  );
}
