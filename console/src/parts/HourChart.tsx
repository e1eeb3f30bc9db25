/** Amounts of whole hours as steps, and a share of them on an axis of its own. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Column } from "../plant/ledger";
import { language, number, time, unit } from "../words";
import { theme } from "./theme";

const HEIGHT_REM = 16;

export interface Steps {
  label: string;
  unit: string;
  values: Column;
  colour: string;
  filled?: boolean;
  dashed?: boolean;
}

const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(steps: readonly Steps[], width: number): uPlot.Options {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${0.8 * rem}px system-ui, sans-serif`;
  const ink = token("--quiet");
  const stepped = uPlot.paths.stepped;
  return {
    width,
    height: HEIGHT_REM * rem,
    series: [
      { value: (_, at) => (at === null ? "–" : time(at * 1000, "full")) },
      ...steps.map((one): uPlot.Series => ({
        label: one.label,
        scale: one.unit,
        stroke: token(one.colour),
        width: 1.5,
        ...(one.filled ? { fill: `${token(one.colour)}33` } : {}),
        ...(one.dashed ? { dash: [6, 3] } : {}),
        ...(stepped ? { paths: stepped({ align: 1 }) } : {}),
        points: { show: false },
        value: (_, value) => `${number(value)} ${unit(one.unit)}`,
      })),
    ],
    scales: { "%": { range: [0, 100] } },
    axes: [
      {
        stroke: ink,
        font,
        grid: { stroke: token("--line"), width: 0.5 },
        values: (_, at, __, ___, step) => at.map((one) => time(one * 1000, step >= 86_400 ? "day" : "minute")),
      },
      ...[...new Set(steps.map((one) => one.unit))].map((one, place): uPlot.Axis => ({
        scale: one,
        side: place ? 1 : 3,
        stroke: ink,
        font,
        size: 4.5 * rem,
        label: unit(one),
        labelFont: font,
        grid: { show: place === 0, stroke: token("--line"), width: 0.5 },
        values: (_, values) => values.map((value) => number(value)),
      })),
    ],
    cursor: { drag: { x: false, y: false } },
  };
}

export function HourChart({ times, steps }: { times: readonly number[]; steps: readonly Steps[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const data = [times, ...steps.map((one) => one.values)] as uPlot.AlignedData;
    const chart = new uPlot(options(steps, element.clientWidth), data, element);
    const sized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: chart.height }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      chart.destroy();
    };
  }, [times, language.value, theme.value]);
  return <div class="trend" ref={place} />;
}
