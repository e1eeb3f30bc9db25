/** Alarms by need: who may, acknowledges and shelves; how an operator was served (ISA-18.2). */

import { useEffect, useState } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { Loaded, useFetched } from "../parts/Loaded";
import { ShelveForm } from "../parts/ShelveForm";
import { Table } from "../parts/Table";
import { ACTS, act, type Act, assetTitle, byNeed, isOfKpi, rings } from "../plant/alarms";
import { get } from "../plant/api";
import { show, standing } from "../plant/live";
import { acts, me } from "../plant/person";
import { catalogue, lastStep } from "../plant/tree";
import type { Alarm, AlarmEvent, AlarmStatistics } from "../plant/types";
import { ask, linkTo, place } from "../route";
import { fill, number, percent, plain, time, unit, words } from "../words";
import { kpiTitle } from "../words/kpis";

const HISTORY_MS = 5_000;
const STATISTICS_MS = 30_000;
const EVENTS = 200;
const FREQUENT = 5;

function Source({ one }: { one: Alarm }) {
  const kpi = isOfKpi(one);
  const href = kpi
    ? linkTo("kpis", one.asset, { kpi: one.source })
    : linkTo("trends", "", { tags: one.source, span: "hour" });
  const title = kpi
    ? kpiTitle(one.source, catalogue.value.get(one.source)?.title ?? one.source)
    : lastStep(one.source);
  return (
    <a href={href}>
      {assetTitle(one.asset)}: {title}
      <span class="path">{one.source}</span>
    </a>
  );
}

function Acts({ one, shelve }: { one: Alarm; shelve: () => void }) {
  const [failed, setFailed] = useState("");
  const { alarms, failed: failedWord } = words.value;
  if (!acts.value) return null;
  const does = (what: Act): void => {
    if (what === "shelve") return shelve();
    setFailed("");
    act(one, what).catch((error: Error) => setFailed(error.message));
  };
  return (
    <>
      {(ACTS[one.state] ?? []).map((what) => (
        <button type="button" key={what} onClick={() => does(what)}>
          {alarms[what]}
        </button>
      ))}
      {failed && (
        <span class="failed" role="alert">
          {fill(failedWord, { detail: failed })}
        </span>
      )}
    </>
  );
}

/** What an alarm's row says of its state. */
function stateText(one: Alarm): string {
  const { alarms } = words.value;
  return [
    alarms.state[one.state],
    one.shelved_until && fill(alarms.until, { time: time(Date.parse(one.shelved_until), "full") }),
    !one.known && alarms.lost,
  ]
    .filter(Boolean)
    .join(", ");
}

function Board({ shown }: { shown: readonly Alarm[] }) {
  const [shelving, setShelving] = useState<Alarm | null>(null);
  const { alarms } = words.value;
  const { columns } = alarms;
  const heads = [columns.priority, columns.alarm, columns.limit, columns.value, columns.since, columns.state];
  if (acts.value) heads.push(columns.act);
  if (!shown.length) return <p class="quiet">{alarms.none}</p>;
  return (
    <>
      <Table
        heads={heads}
        rows={shown.map((one) => ({
          key: one.id,
          class: `alarm priority-${one.priority} is-${one.state}`,
          cells: [
            <span class={`priority priority-${one.priority}`}>{alarms.priority[one.priority]}</span>,
            <>
              <Source one={one} />
              {one.first_out && (
                <strong class="first" title={alarms.firstHelp}>
                  {alarms.first}
                </strong>
              )}
            </>,
            `${alarms.bound[one.bound]}: ${plain(one.limit)} ${unit(one.unit ?? "")}`,
            measured(one),
            one.since ? time(Date.parse(one.since), "full") : "–",
            stateText(one),
            ...(acts.value ? [<Acts one={one} shelve={() => setShelving(one)} />] : []),
          ],
        }))}
      />
      {shelving && <ShelveForm key={shelving.id} one={shelving} close={() => setShelving(null)} />}
    </>
  );
}

/** The value that an alarm rang or returned at; nothing where it has none. */
const measured = (one: { value: number | null; unit: string | null }): string =>
  one.value === null ? "–" : `${number(one.value)} ${unit(one.unit ?? "")}`;

function History() {
  const fetched = useFetched(
    (signal) => get<{ events: AlarmEvent[] }>("/alarms/history", { from: "-24h", to: "now", limit: EVENTS }, signal),
    [],
    HISTORY_MS,
  );
  return <Loaded fetched={fetched}>{({ events }) => <EventTable events={events} />}</Loaded>;
}

/** Transitions, the newest first. */
function EventTable({ events }: { events: readonly AlarmEvent[] }) {
  const { alarms } = words.value;
  const { columns } = alarms;
  if (!events.length) return <p class="quiet">{words.value.report.noAlarms}</p>;
  return (
    <Table
      heads={[columns.since, columns.priority, columns.alarm, columns.state, columns.value, alarms.reason]}
      rows={events.map((one, row) => ({
        key: `${one.alarm}-${one.at}-${row}`,
        cells: [
          time(Date.parse(one.at), "full"),
          alarms.priority[one.priority],
          <>
            {assetTitle(one.asset)}
            <span class="path">{one.name}</span>
          </>,
          alarms.event[one.event] + (one.first_out ? ` · ${alarms.first}` : ""),
          measured(one),
          [one.who && fill(alarms.by, { who: one.who }), one.reason].filter(Boolean).join(": "),
        ],
      }))}
    />
  );
}

/** The figures of ISA-18.2, clause 16, with what they should be at most; outside they are marked. */
function Served({ found }: { found: AlarmStatistics }) {
  const { alarms } = words.value;
  const figures: readonly (readonly [string, string, string, boolean])[] = [
    [alarms.raised, number(found.raised, 1), "", false],
    [alarms.perDay, number(found.per_day, 2), "≤ 150", found.per_day > 300],
    [alarms.burst, number(found.most_in_10_min, 1), "≤ 10", found.most_in_10_min > 10],
    [alarms.flood, percent(found.flood_share), `< ${percent(0.01)}`, found.flood_share >= 0.01],
    [alarms.chattering, number(found.chattering.length, 1), "0", found.chattering.length > 0],
    [alarms.stale, number(found.stale.length, 1), "< 5", found.stale.length >= 5],
  ];
  return (
    <>
      <div class="tiles">
        {figures.map(([title, value, goal, out]) => (
          <div class={`tile${out ? " is-off" : ""}`} key={title}>
            <span class="tile-title">{title}</span>
            <span class="tile-value">{value}</span>
            <span class="tile-note">{goal && fill(alarms.goal, { goal })}</span>
          </div>
        ))}
      </div>
      {found.most_frequent.length > 0 && (
        <p class="quiet">
          {alarms.frequent}:{" "}
          {found.most_frequent
            .slice(0, FREQUENT)
            .map((one) => `${one.name} (${fill(alarms.times, { count: one.times })})`)
            .join(", ")}
        </p>
      )}
    </>
  );
}

const SHOWN = ["ringing", "quiet", "history"] as const;

export function Alarms() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const statistics = useFetched(
    (signal) => get<AlarmStatistics>("/alarms/statistics", { from: "-24h", to: "now" }, signal),
    [],
    STATISTICS_MS,
  );
  const { alarms, page, loading } = words.value;
  const shown = SHOWN.find((one) => one === place.value.query.get("show")) ?? "ringing";
  const all = standing.value;
  const chosen = all && byNeed(all.filter((one) => rings(one) === (shown === "ringing")));
  return (
    <>
      <h1>{page.alarms}</h1>
      <div class="row">
        <Choice
          visible
          label={alarms.show}
          options={Object.fromEntries(SHOWN.map((one) => [one, alarms[one]]))}
          chosen={shown}
          choose={(one) => ask({ show: one })}
        />
        {me.value && !acts.value && <span class="quiet">{fill(alarms.needs, { ...me.value, areas: "" })}</span>}
      </div>
      <section class="panel" aria-label={alarms[shown]}>
        {shown === "history" ? <History /> : chosen ? <Board shown={chosen} /> : <p class="quiet">{loading}</p>}
      </section>
      <section class="panel" aria-label={alarms.statistics}>
        <h2>{alarms.statistics}</h2>
        <Loaded fetched={statistics}>{(found) => <Served found={found} />}</Loaded>
      </section>
    </>
  );
}
