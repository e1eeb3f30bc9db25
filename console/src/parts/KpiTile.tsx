/** A KPI as a tile: value, unit, coverage, and the way to how it was computed. */

import { kpiOf } from "../plant/live";
import { catalogue } from "../plant/tree";
import { linkTo } from "../route";
import { fill, number, percent, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";

export function KpiTile({ kpi, asset }: { kpi: string; asset: string }) {
  const result = kpiOf(kpi, asset).value;
  const declared = catalogue.value.get(kpi);
  const { coverage, noValue } = words.value;
  const value = result?.value ?? null;
  const [low, high] = declared?.valid ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const out = value !== null && (value < low || value > high);
  return (
    <a class={`tile${out ? " is-out" : ""}`} href={linkTo("kpis", asset, { kpi })} data-kpi={kpi}>
      <span class="tile-title">{kpiTitle(kpi, declared?.title ?? kpi)}</span>
      <span class="tile-value">
        <span class="value-number">{number(value)}</span>
        <span class="value-unit">{unit(result?.unit ?? declared?.unit ?? "")}</span>
      </span>
      <span class="tile-note">
        {result && fill(coverage, { share: percent(result.coverage) })}
        {result && value === null && ` · ${fill(noValue, { reason: result.reason ?? "" })}`}
      </span>
    </a>
  );
}
