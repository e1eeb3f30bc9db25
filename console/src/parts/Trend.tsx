/** A trend of tags over a span: mean line and the envelope of each pixel, one axis a unit. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { plot, type Span } from "../plant/api";
import type { PlotRow, Tag } from "../plant/types";
import { number, ticks, time, unit, words } from "../words";
import { rem, useChart } from "./chart";
import { Loaded, useFetched } from "./Loaded";
import { colour, wash } from "./theme";

const COLOURS = ["--trace", "--trace-2", "--trace-3", "--trace-4"] as const;
const HEIGHT_REM = 18;

interface Given {
  tags: readonly Tag[];
  span: Span;
  /** Shows the same tags so many seconds earlier as thin lines. */
  compareS?: number;
  zoomed?: (from: Date, to: Date) => void;
  whole?: () => void;
}

interface Series {
  tag: Tag;
  times: number[];
  low: (number | null)[];
  high: (number | null)[];
  last: (number | null)[];
}

const trace = (place: number): string => COLOURS[place % COLOURS.length] ?? "--trace";

/**
 * Rows of the API as columns, a tag each. A pixel without readings shows what its tag still holds;
 * where nothing holds any more the line breaks.
 */
export function seriesOf(tags: readonly Tag[], rows: readonly PlotRow[], shiftS = 0): Series[] {
  const found = new Map<string, Series>(
    tags.map((tag) => [tag.path, { tag, times: [], low: [], high: [], last: [] }]),
  );
  for (const row of rows) {
    const series = found.get(row.tag);
    if (!series) continue;
    series.times.push(Date.parse(row.start) / 1000 + shiftS);
    const held = row.coverage > 0 ? (series.last.at(-1) ?? null) : null;
    series.low.push(row.min ?? held);
    series.high.push(row.max ?? held);
    series.last.push(row.last ?? held);
  }
  return [...found.values()];
}

/** uPlot wants one column of times: the pixels of all tags are the same, where they have any. */
function joined(all: readonly Series[]): uPlot.AlignedData {
  const times = [...new Set(all.flatMap((one) => one.times))].sort((a, b) => a - b);
  const columns = all.flatMap((one) => {
    const at = new Map(one.times.map((at, place) => [at, place]));
    const pick = (values: (number | null)[]): (number | null)[] =>
      times.map((at_) => values[at.get(at_) ?? -1] ?? null);
    return [pick(one.last), pick(one.low), pick(one.high)];
  });
  return [times, ...columns];
}

function options(all: readonly Series[], width: number, given: Given): uPlot.Options {
  const [ink, grid] = [colour("--quiet"), colour("--line")];
  const units = [...new Set(all.map((one) => one.tag.unit))];
  const font = `${0.8 * rem()}px system-ui, sans-serif`;
  return {
    width,
    height: HEIGHT_REM * rem(),
    series: [
      { value: (_, at) => (at === null ? "–" : time(at * 1000, "full")) },
      ...all.flatMap((one, place): uPlot.Series[] => {
        const earlier = place >= given.tags.length;
        const base = { scale: one.tag.unit, stroke: colour(trace(place % given.tags.length)), spanGaps: false };
        const label = `${one.tag.title || one.tag.measure}, ${one.tag.path}`;
        return [
          {
            ...base,
            label,
            width: earlier ? 1 : 1.5,
            ...(earlier ? { dash: [4, 4] } : {}),
            value: (_, value) => `${number(value)} ${unit(one.tag.unit)}`,
          },
          { ...base, label: "min", class: "envelope", width: 0, points: { show: false } },
          { ...base, label: "max", class: "envelope", width: 0, points: { show: false } },
        ];
      }),
    ],
    bands: all.map((_, place) => ({
      series: [3 * place + 3, 3 * place + 2] as [number, number],
      fill: wash(trace(place % given.tags.length)),
    })),
    axes: [
      {
        stroke: ink,
        font,
        grid: { stroke: grid, width: 0.5 },
        values: (_, at, __, ___, step) =>
          at.map((one) => time(one * 1000, step >= 86_400 ? "day" : step >= 60 ? "minute" : "clock")),
      },
      ...units.map((one, place): uPlot.Axis => ({
        scale: one,
        side: place % 2 ? 1 : 3,
        stroke: ink,
        font,
        size: 4.5 * rem(),
        label: unit(one),
        labelFont: font,
        grid: { show: place === 0, stroke: grid, width: 0.5 },
        values: (_, values) => ticks(values),
      })),
    ],
    cursor: { drag: { x: true, y: false, setScale: false } },
    legend: { show: true },
    hooks: {
      setSelect: [
        (chart) => {
          const { left, width: wide } = chart.select;
          if (wide < 4 || !given.zoomed) return;
          const at = (pixel: number): Date => new Date(chart.posToVal(pixel, "x") * 1000);
          given.zoomed(at(left), at(left + wide));
        },
      ],
    },
  };
}

function Chart({ all, given }: { all: readonly Series[]; given: Given }) {
  const place = useChart(
    (element) => {
      const chart = new uPlot(options(all, element.clientWidth, given), joined(all), element);
      chart.over.addEventListener("dblclick", () => given.whole?.());
      return chart;
    },
    [all],
  );
  return <div class="trend" ref={place} />;
}

const WEEKS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A time of a span, so many seconds earlier. */
function earlier(text: string, seconds: number): string {
  if (text === "now") return `-${seconds}s`;
  const relative = /^-(\d+)([smhd])$/.exec(text);
  if (relative) return `-${Number(relative[1]) * (WEEKS[relative[2] ?? "s"] ?? 1) + seconds}s`;
  return new Date(Date.parse(text) - seconds * 1000).toISOString();
}

export function Trend(given: Given) {
  const { tags, span, compareS } = given;
  const paths = tags.map((one) => one.path);
  const fetched = useFetched(
    async (signal) => {
      const pixels = Math.min(1000, Math.max(100, Math.round(innerWidth / 2)));
      if (!paths.length) return [];
      const now = seriesOf(tags, await plot(paths, span, pixels, signal));
      if (!compareS) return now;
      const before = { from: earlier(span.from, compareS), to: earlier(span.to, compareS) };
      return [...now, ...seriesOf(tags, await plot(paths, before, pixels, signal), compareS)];
    },
    [paths.join(), span.from, span.to, compareS],
  );
  if (!paths.length) return <p class="quiet">{words.value.trends.empty}</p>;
  return <Loaded fetched={fetched}>{(all) => <Chart all={all} given={given} />}</Loaded>;
}
