/** The flow of the park: bauxite, alumina, aluminium, and the power that feeds them, with figures. */

import { kpiOf, valueOf } from "../plant/live";
import { measuring, ofType, site } from "../plant/tree";
import { believed } from "../plant/worth";
import { linkTo } from "../route";
import { number, unit, words } from "../words";

const KW_PER_MW = 1000;
const METAL = "faraday_production";
const ALUMINA = "alumina_production";

const sources = (types: readonly string[], measure: string): string[] =>
  ofType(...types).flatMap((one) => measuring(one, measure).map(({ path }) => `${path}/${measure}`));

/** What stands at the arrows: the sums of these tags. */
function summed(): Record<"bauxite" | "refinery" | "smelter" | "wind" | "sun" | "grid", string[]> {
  return {
    bauxite: sources(["refinery"], "bauxite_feed"),
    refinery: sources(["refinery"], "load"),
    smelter: sources(["smelter"], "load"),
    wind: sources(["wind_farm"], "power"),
    sun: sources(["solar_farm"], "power"),
    grid: sources(["grid"], "import_power"),
  };
}

const makers = (type: string, kpi: string): string[] =>
  ofType(type)
    .filter((one) => one.kpis.includes(kpi))
    .map((one) => `${kpi}@${one.path}`);

/** The tags and KPIs that a page has to show for the mimic's figures. */
export function mimicShows(): { tags: string[]; kpis: string[] } {
  const made = [...makers("smelter", METAL), ...makers("refinery", ALUMINA)];
  return { tags: Object.values(summed()).flat(), kpis: made };
}

/** The sum of tags; nothing where one of them is not to be believed. */
function sum(tags: readonly string[]): number | null {
  const values = believed(tags.map((one) => valueOf(one).value));
  return values?.length ? values.reduce((all, one) => all + one, 0) : null;
}

function megawatts(tags: readonly string[]): string {
  const total = sum(tags);
  return total === null ? "–" : `${number(total / KW_PER_MW, 3)} ${unit("MW")}`;
}

/** What the assets of *type* made, by *kpi* over the last hour [t]. */
function tonnes(type: string, kpi: string): string {
  const values = ofType(type).map((one) => kpiOf(kpi, one.path).value?.value ?? null);
  return values.length && values.every((one) => one !== null)
    ? `${number(values.reduce((all, one) => all + one, 0), 3)} ${unit("t")}`
    : "–";
}

export function Mimic() {
  const { page, flow, span } = words.value;
  const tags = summed();
  const bauxite = sum(tags.bauxite);
  return (
    <svg class="mimic" viewBox="0 0 710 190" role="group" aria-label={site.value?.title ?? ""}>
      <defs>
        <marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="4" markerHeight="4" orient="auto">
          <path d="M0 0L6 3L0 6z" />
        </marker>
      </defs>
      {["M10 45H145", "M285 45H425", "M565 45H700"].map((path) => (
        <path key={path} class="flow" d={path} marker-end="url(#head)" />
      ))}
      {["M330 128V108H218V74", "M385 128V108H498V74", "M130 153H285", "M690 153H429"].map((path) => (
        <path key={path} class="flow is-power" d={path} marker-end="url(#head)" />
      ))}
      <text x="74" y="36">{flow.bauxite}</text>
      <text x="74" y="64" class="figure">{bauxite === null ? "–" : `${number(bauxite, 3)} ${unit("t/h")}`}</text>
      <text x="352" y="36">{flow.alumina}</text>
      <text x="352" y="64" class="figure">{tonnes("refinery", ALUMINA)}</text>
      <text x="352" y="79" class="small">{span.hour}</text>
      <text x="630" y="36">{flow.aluminium}</text>
      <text x="630" y="64" class="figure">{tonnes("smelter", METAL)}</text>
      <text x="630" y="79" class="small">{span.hour}</text>
      <text x="208" y="98" class="figure is-left">{megawatts(tags.refinery)}</text>
      <text x="508" y="98" class="figure is-right">{megawatts(tags.smelter)}</text>
      <text x="66" y="147">{flow.grid}</text>
      <text x="66" y="165" class="figure">{megawatts(tags.grid)}</text>
      <text x="705" y="138" class="is-end">
        {flow.wind} <tspan class="figure">{megawatts(tags.wind)}</tspan>
      </text>
      <text x="705" y="172" class="is-end">
        {flow.sun} <tspan class="figure">{megawatts(tags.sun)}</tspan>
      </text>
      <Box page="refinery" x={150} y={20} text={page.refinery} />
      <Box page="potroom" x={430} y={20} text={page.potroom} />
      <Box page="energy" x={290} y={128} text={page.energy} />
    </svg>
  );
}

function Box({ page, x, y, text }: { page: string; x: number; y: number; text: string }) {
  return (
    <a href={linkTo(page)}>
      <rect x={x} y={y} width="135" height="50" rx="3" />
      <text x={x + 67} y={y + 30}>
        {text}
      </text>
    </a>
  );
}
