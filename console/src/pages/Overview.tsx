/** The park at a glance: its flow, and what each area comes to over the last hour. */

import { useEffect } from "preact/hooks";
import { KpiTile } from "../parts/KpiTile";
import { Mimic } from "../parts/Mimic";
import { show } from "../plant/live";
import { site } from "../plant/tree";
import type { Asset } from "../plant/types";
import { words } from "../words";

/** What an operator wants first of each kind of area; those that the plant can answer are shown. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  site: ["renewable_share_matched", "grid_import", "carbon_intensity", "green_premium_share"],
  smelter: ["dc_specific_energy", "current_efficiency", "pot_voltage", "anode_effect_frequency", "pfc_intensity"],
  refinery: ["liquor_productivity", "steam_per_tonne", "bauxite_per_tonne", "caustic_loss", "energy_per_tonne"],
  wind_farm: ["capacity_factor", "time_availability", "energy_delivered", "curtailment_loss"],
  solar_farm: ["capacity_factor", "performance_ratio", "time_availability", "energy_delivered"],
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

export function Overview() {
  const root = site.value;
  const areas = root ? areasOf(root) : [];
  useEffect(() => {
    const kpis = areas.flatMap((area) => firstKpis(area).map((kpi) => `${kpi}@${area.path}`));
    show({ tags: [], kpis });
  }, [root]);
  return (
    <>
      <h1>{words.value.page.overview}</h1>
      <Mimic />
      {areas.map((area) => (
        <section class="panel" key={area.path} aria-label={area.title}>
          <h2>{area.title}</h2>
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
