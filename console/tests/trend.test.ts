import { expect, test } from "vitest";
import { seriesOf } from "../src/parts/Trend";
import type { PlotRow, Tag } from "../src/plant/types";
import { language, ticks } from "../src/words";

const tag = { path: "pot/voltage", unit: "V" } as Tag;
const row = (minute: number, last: number | null, coverage: number): PlotRow => ({
  tag: tag.path,
  start: `2026-01-01T00:0${minute}:00Z`,
  end: `2026-01-01T00:0${minute + 1}:00Z`,
  coverage,
  first: last,
  min: last,
  max: last,
  last,
});

test("a line goes on while its value holds, and breaks where nothing does", () => {
  const rows = [row(0, null, 0), row(1, 4.2, 1), row(2, null, 1), row(3, null, 0), row(4, null, 0.5), row(5, 4.3, 1)];
  const [series] = seriesOf([tag], rows);
  expect(series?.last).toEqual([null, 4.2, 4.2, null, null, 4.3]);
  expect(series?.high).toEqual(series?.last);
});

test.each([
  [[0, 250, 500], ["0", "250", "500"]],
  [[499.25, 499.5, 499.75], ["499.25", "499.50", "499.75"]],
  [[4.1, 4.105, 4.11], ["4.100", "4.105", "4.110"]],
  [[1000], ["1,000"]],
])("marks of an axis at %j are written alike", (values, written) => {
  language.value = "en";
  expect(ticks(values)).toEqual(written);
});
