/** An element with a chart in it, which scripts draw: anew when words, colours or letters change. */

import { useEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import type uPlot from "uplot";
import { language } from "../words";
import { dark } from "./theme";

/** The size of letters [px]. */
export const rem = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

/** *draw* makes the chart; again when *keys* change. */
export function useChart(draw: (element: HTMLElement) => uPlot, keys: readonly unknown[]): RefObject<HTMLDivElement> {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let letters = rem();
    let chart = draw(element);
    const sized = new ResizeObserver(() => {
      if (rem() === letters) return chart.setSize({ width: element.clientWidth, height: chart.height });
      letters = rem();
      chart.destroy();
      chart = draw(element);
    });
    sized.observe(element);
    return () => {
      sized.disconnect();
      chart.destroy();
    };
  }, [...keys, language.value, dark.value]);
  return place;
}
