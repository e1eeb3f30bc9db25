/** A KPI as a tile: value, unit, coverage, and the way to how it was computed. */

import { kpiOf, standing } from "../plant/live";
import { catalogue } from "../plant/tree";
import { linkTo } from "../route";
import { number, unit } from "../words";
import { kpiTitle } from "../words/kpis";
import { coverageText } from "./coverage";

export function KpiTile({ kpi, asset }: { kpi: string; asset: string }) {
  const result = kpiOf(kpi, asset).value;
  const declared = catalogue.value.get(kpi);
  const value = result?.value ?? null;
  const out = (standing.value ?? []).some((one) => one.active && one.source === kpi && one.asset === asset);
  return (
    <a class={`tile${out ? " is-out" : ""}`} href={linkTo("kpis", asset, { kpi })} data-kpi={kpi}>
      <span class="tile-title">{kpiTitle(kpi, declared?.title ?? kpi)}</span>
      <span class="tile-value">
        <span class="value-number">{number(value)}</span>
        <span class="value-unit">{unit(result?.unit ?? declared?.unit ?? "")}</span>
      </span>
      <span class="tile-note">
        {result && coverageText(result, declared)}
      </span>
    </a>
  );
}
