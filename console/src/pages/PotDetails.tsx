/** One pot: what it measures now, its last hours, its last taps and additions. */

import { useEffect, useRef } from "preact/hooks";
import { Trend } from "../parts/Trend";
import { Loaded, useFetched } from "../parts/Loaded";
import { Readings } from "../parts/Readings";
import { get, tagsBelow } from "../plant/api";
import { lastStep } from "../plant/tree";
import type { Asset, Tag } from "../plant/types";
import { fill, number, time, unit, words } from "../words";

interface Event {
  tag: string;
  ts: string;
  value: number | null;
}

const EVENTS_SHOWN = 8;
/** Charts of a pot; noise is a hundredth of the voltage and has an axis of its own. */
const TRENDS: readonly (readonly string[])[] = [["voltage", "voltage_target"], ["noise_slow", "noise_fast"]];

function Events({ tags }: { tags: readonly Tag[] }) {
  const paths = tags.map((one) => one.path);
  const fetched = useFetched(
    (signal) => get<{ rows: Event[] }>("/history", { tag: paths, from: "-2d", to: "now" }, signal),
    [paths.join()],
  );
  const units = new Map(tags.map((one) => [one.path, one]));
  return (
    <Loaded fetched={fetched}>
      {({ rows }) => (
        <table>
          <tbody>
            {rows
              .filter((row) => row.value)
              .sort((a, b) => b.ts.localeCompare(a.ts))
              .slice(0, EVENTS_SHOWN)
              .map((row) => (
                <tr key={row.tag + row.ts}>
                  <td>{time(Date.parse(row.ts), "full")}</td>
                  <td>{units.get(row.tag)?.title}</td>
                  <td class="number">
                    {number(row.value)} {unit(units.get(row.tag)?.unit ?? "")}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
    </Loaded>
  );
}

export function PotDetails({ pot, close }: { pot: Asset; close: () => void }) {
  const fetched = useFetched(() => tagsBelow(`${pot.path}/*`), [pot.path]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [pot.path]);
  const { potroom } = words.value;
  return (
    <section class="panel details" aria-label={pot.title} onKeyDown={(event) => event.key === "Escape" && close()}>
      <div class="row">
        <h2 ref={heading} tabIndex={-1}>
          {fill(potroom.details, { pot: lastStep(pot.path).replace(/^\D+/, "") })}
        </h2>
        <button type="button" onClick={close}>
          {potroom.close}
        </button>
      </div>
      <Loaded fetched={fetched}>
        {(tags) => (
          <>
            <Readings tags={tags} />
            <div class="charts">
              {TRENDS.map((measures) => (
                <Trend key={measures.join()} tags={tags.filter((one) => measures.includes(one.measure))} span={{ from: "-6h", to: "now" }} />
              ))}
            </div>
            <h3>{potroom.taps}</h3>
            <Events tags={tags.filter((one) => one.kind === "event" && one.derivation === null)} />
          </>
        )}
      </Loaded>
    </section>
  );
}
