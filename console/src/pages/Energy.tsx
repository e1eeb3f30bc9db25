/** Renewables and grid: generation against consumption, hour by hour; farms, battery, connection. */

import { useEffect } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { HourChart, type Steps } from "../parts/HourChart";
import { KpiTile } from "../parts/KpiTile";
import { Loaded, useFetched } from "../parts/Loaded";
import { Readings } from "../parts/Readings";
import { Table } from "../parts/Table";
import { tagsBelow } from "../plant/api";
import { byHour, entries, type Hours, shares, statement, wholeHours } from "../plant/ledger";
import { show } from "../plant/live";
import { ofType, site } from "../plant/tree";
import type { Asset, StatementLine } from "../plant/types";
import { ask, place } from "../route";
import { fill, number, unit, words } from "../words";
import { lineTitle } from "../words/ledger";

const SITE = ["hourly_matched_share", "volumetric_renewable_share", "carbon_free_score", "self_consumption", "self_sufficiency", "scope2_location", "scope2_market"];
const FARM = ["energy_delivered", "capacity_factor", "curtailment_loss", "unavailability_loss", "time_availability", "performance_ratio"];
const HOURS = { day: 24, week: 168, month: 720 } as const;
const HOUR_MS = 3_600_000;

const shownKpis = (asset: Asset, wanted: readonly string[]): string[] => wanted.filter((kpi) => asset.kpis.includes(kpi));

function Tiles({ asset, kpis }: { asset: Asset; kpis: readonly string[] }) {
  return (
    <div class="tiles">
      {shownKpis(asset, kpis).map((kpi) => (
        <KpiTile key={kpi} kpi={kpi} asset={asset.path} />
      ))}
    </div>
  );
}

function Measured({ asset }: { asset: Asset }) {
  const fetched = useFetched(() => tagsBelow(`${asset.path}/*`), [asset.path]);
  return (
    <section class="panel" aria-label={asset.title}>
      <h2>{asset.title}</h2>
      <Loaded fetched={fetched}>{(tags) => <Readings tags={tags} />}</Loaded>
      <Tiles asset={asset} kpis={asset.kpis} />
    </section>
  );
}

function steps({ accounts }: Hours): Steps[] {
  const { energy } = words.value;
  const known = (account: string) => accounts.get(account) ?? [];
  const all: Steps[] = [
    { label: energy.generation, unit: "MWh", values: known("generation"), colour: "--trace-3", filled: true },
    { label: energy.consumption, unit: "MWh", values: known("consumption"), colour: "--trace" },
    { label: energy.import, unit: "MWh", values: known("import"), colour: "--trace-2", dashed: true },
    { label: energy.matched, unit: "%", values: shares(known("matched"), known("consumption")), colour: "--trace-4" },
  ];
  return all.filter((one) => one.values.length > 0);
}

function Statement({ lines }: { lines: readonly StatementLine[] }) {
  const { energy, report } = words.value;
  return (
    <Table
      heads={[energy.account, report.value, energy.hours]}
      numbers={[1, 2]}
      rows={lines.map((one) => ({
        key: one.line,
        cells: [
          lineTitle(one.line),
          `${number(one.value)} ${unit(one.unit)}`,
          `${one.hours}${one.missing ? ` (${fill(energy.missing, { count: one.missing })})` : ""}`,
        ],
      }))}
    />
  );
}

function Book() {
  const { query } = place.value;
  const named = query.get("span") as keyof typeof HOURS;
  const span = named in HOURS ? named : "day";
  const asked = wholeHours(Date.now(), HOURS[span]);
  const fetched = useFetched(
    async (signal) => {
      const now = wholeHours(Date.now(), HOURS[span]);
      const [rows, lines] = await Promise.all([entries(now, signal), statement(now, signal)]);
      return { hours: byHour(rows), lines };
    },
    [span, asked.to],
    HOUR_MS / 12,
  );
  const { energy, span: spans } = words.value;
  return (
    <>
      <section class="panel" aria-label={energy.hourly}>
        <div class="row">
          <h2>{energy.hourly}</h2>
          <Choice
            label={words.value.choose}
            options={Object.fromEntries(Object.keys(HOURS).map((one) => [one, spans[one as keyof typeof HOURS]]))}
            chosen={span}
            choose={(one) => ask({ span: one })}
          />
        </div>
        <Loaded fetched={fetched}>
          {({ hours }) => {
            const drawn = steps(hours);
            const any = drawn.some((one) => one.values.some((value) => value !== null));
            return any ? <HourChart times={hours.times} steps={drawn} /> : <p class="quiet">{energy.none}</p>;
          }}
        </Loaded>
      </section>
      <section class="panel" aria-label={energy.statement}>
        <h2>{energy.statement}</h2>
        <Loaded fetched={fetched}>{({ lines }) => <Statement lines={lines} />}</Loaded>
      </section>
    </>
  );
}

export function Energy() {
  const root = site.value;
  const farms = ofType("wind_farm", "solar_farm");
  const measured = ofType("grid", "battery");
  useEffect(() => {
    if (!root) return;
    const of = (asset: Asset, wanted: readonly string[]): string[] =>
      shownKpis(asset, wanted).map((kpi) => `${kpi}@${asset.path}`);
    show({
      tags: measured.map((one) => `${one.path}/*`),
      kpis: [
        ...of(root, SITE),
        ...farms.flatMap((one) => of(one, FARM)),
        ...measured.flatMap((one) => of(one, one.kpis)),
      ],
    });
  }, [root]);
  if (!root) return null;
  return (
    <>
      <h1>{words.value.page.energy}</h1>
      <section class="panel" aria-label={root.title}>
        <h2>{root.title}</h2>
        <Tiles asset={root} kpis={SITE} />
      </section>
      {farms.map((farm) => (
        <section class="panel" key={farm.path} aria-label={farm.title}>
          <h2>{farm.title}</h2>
          <Tiles asset={farm} kpis={FARM} />
        </section>
      ))}
      <div class="cards">
        {measured.map((one) => (
          <Measured key={one.path} asset={one} />
        ))}
      </div>
      <Book />
    </>
  );
}
