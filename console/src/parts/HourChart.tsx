/** Amounts of whole hours as steps, and a share of them on an axis of its own. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Column } from "../plant/ledger";
import { number, ticks, time, unit } from "../words";
import { rem, useChart } from "./chart";
import { colour, wash } from "./theme";

const HEIGHT_REM = 16;
const HOUR_S = 3600;

export interface Steps {
  label: string;
  unit: string;
  values: Column;
  colour: string;
  filled?: boolean;
  dashed?: boolean;
}

function options(steps: readonly Steps[], width: number): uPlot.Options {
  const font = `${0.8 * rem()}px system-ui, sans-serif`;
  const ink = colour("--quiet");
  const stepped = uPlot.paths.stepped;
  return {
    width,
    height: HEIGHT_REM * rem(),
    series: [
      { value: (_, at) => (at === null ? "–" : time(at * 1000, "full")) },
      ...steps.map((one): uPlot.Series => ({
        label: one.label,
        scale: one.unit,
        stroke: colour(one.colour),
        width: 1.5,
        ...(one.filled ? { fill: wash(one.colour) } : {}),
        ...(one.dashed ? { dash: [6, 3] } : {}),
        ...(stepped ? { paths: stepped({ align: 1 }) } : {}),
        points: { show: false },
        value: (_, value) => (value === null ? "–" : `${number(value)} ${unit(one.unit)}`),
      })),
    ],
    scales: { "%": { range: [0, 100] } },
    axes: [
      {
        stroke: ink,
        font,
        grid: { stroke: colour("--line"), width: 0.5 },
        values: (_, at, __, ___, step) => at.map((one) => time(one * 1000, step >= 86_400 ? "day" : "minute")),
      },
      ...[...new Set(steps.map((one) => one.unit))].map((one, place): uPlot.Axis => ({
        scale: one,
        side: place ? 1 : 3,
        stroke: ink,
        font,
        size: 4.5 * rem(),
        label: unit(one),
        labelFont: font,
        grid: { show: place === 0, stroke: colour("--line"), width: 0.5 },
        values: (_, values) => ticks(values),
      })),
    ],
    // An hour reaches to the next one: the cursor means the hour it stands in, not the nearest start.
    cursor: {
      drag: { x: false, y: false },
      dataIdx: (chart, _, nearest, at) => ((chart.data[0][nearest] ?? 0) > at ? Math.max(0, nearest - 1) : nearest),
    },
  };
}

export function HourChart({ times, steps }: { times: readonly number[]; steps: readonly Steps[] }) {
  // The last hour is drawn to its end as well.
  const edges = [...times, (times.at(-1) ?? 0) + HOUR_S];
  const data = [edges, ...steps.map((one) => [...one.values, one.values.at(-1) ?? null])] as uPlot.AlignedData;
  const place = useChart((element) => new uPlot(options(steps, element.clientWidth), data, element), [times]);
  return <div class="trend" ref={place} />;
}
