/** Whether the data can be believed: services, sources, gaps, and what could not be used. */

import { useEffect } from "preact/hooks";
import { Loaded, useFetched } from "../parts/Loaded";
import { Table } from "../parts/Table";
import { get, ready } from "../plant/api";
import { show, shownAt } from "../plant/live";
import type { Device, Gap, Ready, Sources } from "../plant/types";
import { duration, fill, number, time, words } from "../words";

const AGAIN_MS = 5_000;
/** A source is late when its newest reading is older than this [ms]. */
const LATE_MS = 30_000;
/** Clocks differ by more than this [ms] where nobody keeps them by NTP. */
const SKEWED_MS = 1_000;

const instant = (text: string | null): string => (text ? time(Date.parse(text), "full") : "–");

function Services({ found }: { found: Ready }) {
  const { health } = words.value;
  return (
    <div class="tiles">
      {found.parts.map((part) => (
        <div class={`tile${part.ok ? "" : " is-out"}`} key={part.name} data-part={part.name}>
          <span class="tile-title">{health.parts[part.name as keyof typeof health.parts] ?? part.name}</span>
          <span class="tile-value">{part.ok ? health.ok : health.wrong}</span>
          <span class="tile-note">{part.detail}</span>
        </div>
      ))}
    </div>
  );
}

function Devices({ devices }: { devices: readonly Device[] }) {
  const { alarms, health } = words.value;
  const now = shownAt.value || Date.now();
  const tags = devices.reduce((sum, one) => sum + one.tags, 0);
  const online = devices.filter((one) => one.online).length;
  return (
    <>
      <p class={online < devices.length ? "is-late" : "quiet"}>
        {fill(health.summary, { online, all: devices.length, tags })}
      </p>
      <Table
        heads={[health.source, alarms.columns.state, health.since, health.tags, health.newest, health.lag, health.backlog, health.skew]}
        numbers={[3, 5, 6, 7]}
        rows={devices.map((one) => {
          const lag = one.newest_at ? Math.max(0, now - Date.parse(one.newest_at)) : null;
          const late = lag !== null && lag > LATE_MS;
          const skewed = one.skew_ms !== null && Math.abs(one.skew_ms) > SKEWED_MS;
          return {
            key: one.source,
            class: one.online ? "" : "is-offline",
            cells: [
              one.source,
              one.online ? health.online : <strong class="is-late">{health.offline}</strong>,
              instant(one.since),
              number(one.tags, 1),
              instant(one.newest_at),
              <span class={late ? "is-late" : ""}>{lag === null ? "–" : duration(lag)}</span>,
              number(one.backlog, 1),
              <span class={skewed ? "is-late" : ""}>{one.skew_ms === null ? "–" : duration(one.skew_ms)}</span>,
            ],
          };
        })}
      />
    </>
  );
}

function Gaps({ gaps }: { gaps: readonly Gap[] }) {
  const { health } = words.value;
  if (!gaps.length) return <p class="quiet">{health.noGaps}</p>;
  return (
    <Table
      heads={[health.source, health.cause, health.from, health.to, health.found, health.closed]}
      rows={gaps.map((one, place) => ({
        key: place,
        cells: [
          one.source,
          one.cause,
          instant(one.missing_from),
          instant(one.missing_to),
          instant(one.found_at),
          one.closed_at ? instant(one.closed_at) : <strong class="is-late">{health.open}</strong>,
        ],
      }))}
    />
  );
}

function Letters({ letters }: { letters: Sources["dead_letters"] }) {
  const { health } = words.value;
  if (!letters.length) return <p class="quiet">{health.noLetters}</p>;
  return (
    <Table
      heads={[health.reason, health.count, health.readings, health.newest]}
      numbers={[1, 2]}
      rows={letters.map((one) => ({
        key: one.reason,
        cells: [one.reason, number(one.letters, 1), number(one.readings, 1), instant(one.newest)],
      }))}
    />
  );
}

export function Health() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const services = useFetched((signal) => ready(signal), [], AGAIN_MS);
  const sources = useFetched((signal) => get<Sources>("/sources", {}, signal), [], AGAIN_MS);
  const { page, health } = words.value;
  return (
    <>
      <h1>{page.health}</h1>
      <section class="panel" aria-label={health.ready}>
        <h2>{health.ready}</h2>
        <Loaded fetched={services}>{(found) => <Services found={found} />}</Loaded>
      </section>
      <section class="panel" aria-label={health.sources}>
        <h2>{health.sources}</h2>
        <Loaded fetched={sources}>{({ devices }) => <Devices devices={devices} />}</Loaded>
      </section>
      <section class="panel" aria-label={health.gaps}>
        <h2>{health.gaps}</h2>
        <Loaded fetched={sources}>{({ gaps }) => <Gaps gaps={gaps} />}</Loaded>
      </section>
      <section class="panel" aria-label={health.letters}>
        <h2>{health.letters}</h2>
        <Loaded fetched={sources}>{({ dead_letters }) => <Letters letters={dead_letters} />}</Loaded>
      </section>
    </>
  );
}
