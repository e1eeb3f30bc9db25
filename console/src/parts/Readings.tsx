/**
 * What an asset measures now: its gauges and states with their normal ranges. A tag whose unit is a
 * product (`t/h*percent`) is a term of a KPI and nothing that an operator reads.
 */

import type { Tag } from "../plant/types";
import { Value } from "./Value";

export function Readings({ tags }: { tags: readonly Tag[] }) {
  return (
    <div class="values">
      {tags
        .filter((one) => (one.kind === "gauge" || one.kind === "state") && !one.unit.includes("*"))
        .map((one) => (
          <Value
            key={one.path}
            tag={one.path}
            title={one.title || one.measure}
            low={one.low}
            high={one.high}
            {...(one.kind === "state" ? { digits: 1 } : {})}
          />
        ))}
    </div>
  );
}
