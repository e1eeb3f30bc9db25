/** The refinery along the liquor: ratios and balances, then its units with what they measure now. */

import { useEffect } from "preact/hooks";
import { KpiTile } from "../parts/KpiTile";
import { Loaded, useFetched } from "../parts/Loaded";
import { Readings } from "../parts/Readings";
import { tagsBelow } from "../plant/api";
import { show } from "../plant/live";
import { below, ofType } from "../plant/tree";
import type { Asset, Tag } from "../plant/types";
import { words } from "../words";

/** Bayer: dissolved, cleared, washed, precipitated, concentrated, calcined; and what makes steam. */
const PROCESS = ["digestion", "clarification", "washing", "precipitation", "evaporation", "calcination", "powerhouse"];
/** What one stream shows. */
const KPIS_MOST = 100;

const stepOf = (asset: Asset): number => {
  const place = PROCESS.indexOf(asset.type);
  return place < 0 ? PROCESS.length : place;
};

export function inProcessOrder(refinery: Asset): Asset[] {
  return [...below(refinery)]
    .filter((one) => one !== refinery && (one.measures.length > 0 || one.kpis.length > 0))
    .sort((a, b) => stepOf(a) - stepOf(b) || a.path.localeCompare(b.path));
}

function Unit({ asset, tags, kpis }: { asset: Asset; tags: readonly Tag[]; kpis: readonly string[] }) {
  return (
    <section class="panel" aria-label={asset.title}>
      <h3>{asset.title}</h3>
      <Readings tags={tags.filter((one) => one.asset === asset.path && !one.measure.startsWith("overflow_above"))} />
      <div class="tiles">
        {kpis.map((kpi) => (
          <KpiTile key={kpi} kpi={kpi} asset={asset.path} />
        ))}
      </div>
    </section>
  );
}

export function Refinery() {
  const [refinery] = ofType("refinery");
  const units = refinery ? inProcessOrder(refinery) : [];
  const kpis = refinery
    ? [refinery, ...units].flatMap((one) => one.kpis.map((kpi) => `${kpi}@${one.path}`)).slice(0, KPIS_MOST)
    : [];
  const shown = (asset: Asset): string[] => asset.kpis.filter((kpi) => kpis.includes(`${kpi}@${asset.path}`));
  useEffect(() => {
    if (refinery) show({ tags: [`${refinery.path}/**`], kpis });
  }, [refinery]);
  const fetched = useFetched(
    async () => (refinery ? tagsBelow(`${refinery.path}/**`) : []),
    [refinery?.path],
  );
  const { page, empty, refinery: text } = words.value;
  if (!refinery) return <p class="quiet">{empty}</p>;
  return (
    <>
      <h1>{refinery.title || page.refinery}</h1>
      <section class="panel" aria-label={text.ratios}>
        <h2>{text.ratios}</h2>
        <div class="tiles">
          {shown(refinery).map((kpi) => (
            <KpiTile key={kpi} kpi={kpi} asset={refinery.path} />
          ))}
        </div>
      </section>
      <h2>{text.units}</h2>
      <Loaded fetched={fetched}>
        {(tags) => (
          <div class="process">
            {units.map((one) => (
              <Unit key={one.path} asset={one} tags={tags} kpis={shown(one)} />
            ))}
          </div>
        )}
      </Loaded>
    </>
  );
}
