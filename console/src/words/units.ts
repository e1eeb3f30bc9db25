/** Units as they are printed: SI letters, and Cyrillic ones where a language writes them so. */

import { language } from ".";

const PRINTED: Readonly<Record<string, string>> = { percent: "%", degC: "°C", delta_degC: "°C", deg: "°", uohm: "µΩ", ohm: "Ω" };

const RU: Readonly<Record<string, string>> = {
  W: "Вт", kW: "кВт", MW: "МВт", Wh: "Вт·ч", kWh: "кВт·ч", MWh: "МВт·ч",
  J: "Дж", MJ: "МДж", GJ: "ГДж", V: "В", mV: "мВ", A: "А", kA: "кА", uohm: "мкОм", ohm: "Ом",
  t: "т", kg: "кг", g: "г", mg: "мг", m: "м", mm: "мм", km: "км", L: "л",
  s: "с", min: "мин", h: "ч", d: "сут", a: "год", Pa: "Па", hPa: "гПа", kPa: "кПа", MPa: "МПа", mol: "моль",
};
const KK = { ...RU, Wh: "Вт·сағ", kWh: "кВт·сағ", MWh: "МВт·сағ", h: "сағ", d: "тәул", a: "жыл" };
const LETTERS: Partial<Record<string, Readonly<Record<string, string>>>> = { ru: RU, kk: KK };

const POWERS: Readonly<Record<string, string>> = { "^2": "²", "^3": "³" };

/** A unit as it is printed; `1` is not. */
export function unit(name: string): string {
  if (name === "1") return "";
  const letters = LETTERS[language.value] ?? {};
  return name
    .replace(/[A-Za-z_]+/g, (one) => letters[one] ?? PRINTED[one] ?? one)
    .replace(/\^[23]/g, (power) => POWERS[power] ?? power)
    .replaceAll("*", "·")
    .replaceAll(" ", "·");
}
