/** What an asset measures now: its gauges and states with their normal ranges. */

import type { Tag } from "../plant/types";
import { Value } from "./Value";

export function Readings({ tags }: { tags: readonly Tag[] }) {
  return (
    <div class="values">
      {tags
        .filter((one) => one.kind === "gauge" || one.kind === "state")
        .map((one) => (
          <Value key={one.path} tag={one.path} title={one.title || one.measure} low={one.low} high={one.high} />
        ))}
    </div>
  );
}
