/** The language of the page, and numbers and times as it writes them. */

import { computed, signal } from "@preact/signals";
import { en, type Words } from "./en";
import { kk } from "./kk";
import { ru } from "./ru";
import { zh } from "./zh";

export const LANGUAGES = { en: "English", ru: "Русский", kk: "Қазақша", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const WORDS: Record<Language, Words> = { en, ru, kk, zh };
const KEPT = "ertis.language";

function first(): Language {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages];
  for (const one of wanted) {
    const short = one?.slice(0, 2);
    if (short && short in WORDS) return short as Language;
  }
  return "en";
}

export const language = signal<Language>(first());
export const words = computed<Words>(() => WORDS[language.value]);
/** The plant's time zone, by IANA name. */
export const zone = signal<string>("UTC");

export function speak(chosen: Language): void {
  language.value = chosen;
  localStorage.setItem(KEPT, chosen);
  document.documentElement.lang = chosen;
}

/** *text* with `{name}` replaced by what *given* has. */
export function fill(text: string, given: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(given[name] ?? whole));
}

/** Browsers know no Kazakh formats; its numbers and its dates in figures are written as in Russian. */
const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", ru: "ru", kk: "ru", zh: "zh" };
const locale = computed(() => LOCALES[language.value]);
const DATE_IN_FIGURES = { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;

const times = computed(() => {
  const made = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale.value, { timeZone: zone.value, hour12: false, ...options });
  return {
    clock: made({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    minute: made({ hour: "2-digit", minute: "2-digit" }),
    day: made({ day: "2-digit", month: "2-digit" }),
    full: made(language.value === "kk" ? DATE_IN_FIGURES : { dateStyle: "medium", timeStyle: "medium" }),
  };
});

export type TimeStyle = "clock" | "minute" | "day" | "full";

export function time(ms: number, style: TimeStyle = "clock"): string {
  return ms > 0 ? times.value[style].format(ms) : "–";
}

const numbers = new Map<string, Intl.NumberFormat>();

/** A number with as many digits as an operator can use: four that matter, none invented, no minus before zeros. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const whole = Math.abs(value) < 1 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
  const fraction = Math.max(0, Math.min(digits - whole, digits - 1));
  const key = `${language.value} ${fraction}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale.value, {
      minimumFractionDigits: fraction,
      maximumFractionDigits: fraction,
      signDisplay: "negative",
    });
    numbers.set(key, format);
  }
  return format.format(value);
}

/** What stands at the marks of an axis: all with as many decimals as their step needs. */
export function ticks(values: readonly number[]): string[] {
  const step = Math.abs((values[1] ?? 1) - (values[0] ?? 0));
  const decimals = [0, 1, 2, 3, 4, 5].find((one) => Math.abs(step * 10 ** one - Math.round(step * 10 ** one)) < 1e-6) ?? 6;
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay: "negative" } as const;
  const format = new Intl.NumberFormat(locale.value, options);
  return values.map((one) => format.format(one));
}

/** A limit as somebody wrote it, without digits that they did not. */
export function plain(value: number): string {
  return new Intl.NumberFormat(locale.value, { maximumSignificantDigits: 6 }).format(value);
}

export function percent(share: number, digits = share > 0.99 && share < 1 ? 1 : 0): string {
  const options = { style: "percent", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(locale.value, options).format(share);
}

const DURATIONS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** A length of time in the largest unit that it fills: 3 min, 2 h. */
export function duration(ms: number): string {
  const [name, length] = DURATIONS.find(([, one]) => Math.abs(ms) >= one) ?? (["millisecond", 1] as const);
  const options = { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(language.value, options).format(Math.trunc(ms / length));
}

export { unit } from "./units";
