/** How much of a span is known, and why there is no value: said once, in the reader's language. */

import { fill, percent, plain, unit, words } from "../words";

interface Result {
  value: number | null;
  coverage: number;
  reason: string | null;
}

interface Declared {
  minimum_coverage: number;
  valid: [number, number];
  unit: string;
}

export function coverageText(result: Result, declared?: Declared): string {
  const { coverage, tooLittle, noReadings, outside, overZero, noValue } = words.value;
  const share = percent(result.coverage);
  if (result.value !== null) return fill(coverage, { share });
  if (result.coverage === 0) return noReadings;
  if (declared && result.coverage < declared.minimum_coverage)
    return fill(tooLittle, { share, least: percent(declared.minimum_coverage) });
  const covered = `${fill(coverage, { share })} · `;
  if (declared && result.reason?.startsWith("outside")) {
    const [low, high] = declared.valid.map((one) => plain(one));
    return covered + fill(outside, { low: low ?? "", high: high ?? "", unit: unit(declared.unit) });
  }
  if (result.reason?.startsWith("undefined")) return covered + overZero;
  return covered + fill(noValue, { reason: result.reason ?? "" });
}
