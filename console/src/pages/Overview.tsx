/** The park at a glance: its flow, and what each area comes to over the last hour. */

import { useEffect } from "preact/hooks";
import { KpiTile } from "../parts/KpiTile";
import { Mimic, mimicShows } from "../parts/Mimic";
import { inArea, rings } from "../plant/alarms";
import { kpiOf, show, standing } from "../plant/live";
import { site } from "../plant/tree";
import type { Asset } from "../plant/types";
import { linkTo } from "../route";
import { fill, percent, words } from "../words";

/** Production, energy, carbon, then what goes wrong first; those that the plant can answer. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  site: ["alumina_production", "faraday_production", "hourly_matched_share", "carbon_intensity", "scope2_location"],
  smelter: ["faraday_production", "dc_specific_energy", "pfc_intensity", "anode_effect_frequency", "pot_voltage"],
  refinery: ["alumina_production", "refinery_energy", "fuel_co2", "liquor_productivity", "overflow_solids"],
  renewables: ["energy_delivered", "capacity_factor", "curtailment_loss", "unavailability_loss", "time_availability"],
};
const SHOWN = 5;

export function firstKpis(asset: Asset): string[] {
  const wanted = FIRST[asset.type] ?? [];
  const known = wanted.filter((kpi) => asset.kpis.includes(kpi));
  const others = asset.kpis.filter((kpi) => !known.includes(kpi));
  return [...known, ...others].slice(0, SHOWN);
}

function areasOf(root: Asset): Asset[] {
  return [root, ...root.children].filter((area) => area.kpis.length > 0);
}

/** How an area stands: alarms that ring there, and how much of its figures is known. */
function Standing({ area, kpis }: { area: Asset; kpis: readonly string[] }) {
  const ringing = (standing.value ?? []).filter((one) => rings(one) && inArea(one, area.path));
  const whole = area === site.value ? (standing.value ?? []).filter(rings) : ringing;
  const covered = kpis.map((kpi) => kpiOf(kpi, area.path).value?.coverage ?? 0);
  const { alarms, coverage } = words.value;
  return (
    <span class="standing">
      <a class={whole.length ? "is-late" : "quiet"} href={linkTo("alarms")}>
        {whole.length ? fill(alarms.count, { count: whole.length }) : alarms.none}
      </a>{" "}
      <span class="quiet">{covered.length > 0 && fill(coverage, { share: percent(Math.min(...covered)) })}</span>
    </span>
  );
}

export function Overview() {
  const root = site.value;
  const areas = root ? areasOf(root) : [];
  useEffect(() => {
    const mimic = mimicShows();
    const kpis = areas.flatMap((area) => firstKpis(area).map((kpi) => `${kpi}@${area.path}`));
    show({ tags: mimic.tags, kpis: [...new Set([...kpis, ...mimic.kpis])] });
  }, [root]);
  const { page, span } = words.value;
  return (
    <>
      <h1>{page.overview}</h1>
      <Mimic />
      {areas.map((area) => (
        <section class="panel area" key={area.path} aria-label={area.title}>
          <div class="row">
            <h2>{area.title}</h2>
            <span class="quiet">{span.hour}</span>
            <Standing area={area} kpis={firstKpis(area)} />
          </div>
          <div class="tiles">
            {firstKpis(area).map((kpi) => (
              <KpiTile key={kpi} kpi={kpi} asset={area.path} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}
