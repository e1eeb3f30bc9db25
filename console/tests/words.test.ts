import { beforeEach, expect, test } from "vitest";
import { duration, fill, language, number, percent, plain, time, unit, zone } from "../src/words";

beforeEach(() => {
  language.value = "en";
  zone.value = "Asia/Almaty";
});

test("a word's places are filled, and one that nothing is given for stays", () => {
  expect(fill("{count} of {all}", { count: 0 })).toBe("0 of {all}");
});

test.each([
  [14_250.4, "14,250"],
  [4.1234, "4.123"],
  [0.0301, "0.030"],
  [-63.56, "-63.56"],
  [-0.0004, "0.000"],
  [0, "0"],
  [null, "–"],
  [Number.NaN, "–"],
])("%s has the four digits that an operator can use", (value, said) => {
  expect(number(value)).toBe(said);
});

test("numbers are written as each language writes them", () => {
  const written = (["en", "ru", "kk", "zh"] as const).map((one) => {
    language.value = one;
    return number(14_250.4).replace(/\s/g, "_");
  });
  expect(written).toEqual(["14,250", "14_250", "14_250", "14,250"]);
});

test("a limit keeps the digits that it was written with", () => {
  expect([8, 14_500, 0.05].map(plain)).toEqual(["8", "14,500", "0.05"]);
});

test("a share below the whole is never shown as the whole", () => {
  expect([1, 0.996, 0.5].map((one) => percent(one))).toEqual(["100%", "99.6%", "50%"]);
});

test("a time is the plant's, not the reader's", () => {
  expect(time(Date.UTC(2026, 10, 22, 1, 2, 3))).toBe("06:02:03");
  expect(time(0)).toBe("–");
});

test("a length of time is in the largest unit that it fills", () => {
  expect([5, 5_900, 90_000, -7_200_000].map(duration)).toEqual(["5 ms", "5 sec", "1 min", "-2 hr"]);
});

test("units are printed, not spelled", () => {
  expect(["degC", "m^3", "kg/m^3", "1", "W/m^2"].map(unit)).toEqual(["°C", "m³", "kg/m³", "", "W/m²"]);
});

test("Russian and Kazakh write units in their own letters", () => {
  const written = (["ru", "kk"] as const).map((one) => {
    language.value = one;
    return ["kWh/t", "kg/m^3", "t/h", "percent", "degC"].map(unit).join(" ");
  });
  expect(written).toEqual(["кВт·ч/т кг/м³ т/ч % °C", "кВт·сағ/т кг/м³ т/сағ % °C"]);
});
