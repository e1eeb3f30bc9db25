import { expect, test } from "vitest";
import { coverageText } from "../src/parts/coverage";
import { COLOURINGS, levelOf } from "../src/pages/potColours";
import { language } from "../src/words";

const voltage = COLOURINGS.find((one) => one.id === "voltage");

test.each([
  [4.2, 4.2, 0],
  [4.26, 4.2, 1],
  [4.4, 4.2, 2],
  [4.1, 4.2, -1],
  [4.0, 4.2, -2],
  [Number.NaN, 4.2, null],
])("a pot at %d V, set to %d V, is at level %s", (measured, target, level) => {
  expect(voltage && levelOf(voltage, voltage.shown([measured, target]))).toBe(level);
});

test("why there is no value is said once", () => {
  language.value = "en";
  const kpi = { minimum_coverage: 0.9, valid: [50, 100] as [number, number], unit: "%" };
  const said = (value: number | null, coverage: number, reason: string | null): string =>
    coverageText({ value, coverage, reason }, kpi);
  expect(said(93, 0.95, null)).toBe("coverage 95%");
  expect(said(null, 0, "no readings")).toBe("no readings");
  expect(said(null, 0.03, "coverage 0.03 is below 0.9")).toBe("coverage 3%, 90% needed");
  expect(said(null, 1, "undefined: metal is zero")).toBe("coverage 100% · no value: it would be divided by zero");
  expect(said(null, 1, "outside 50 to 100 %")).toBe("coverage 100% · no value: outside 50 to 100 %");
});
