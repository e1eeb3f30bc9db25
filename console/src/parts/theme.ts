/** Light, dark, or as the system has it; and the colours as charts need them. */

import { computed, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = "ertis.theme";

function first(): Theme {
  const kept = localStorage.getItem(KEPT);
  return THEMES.find((one) => one === kept) ?? "system";
}

export const theme = signal<Theme>(first());

const system = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
const systemDark = signal(system?.matches ?? false);
system?.addEventListener("change", () => {
  systemDark.value = system.matches;
});

/** Whether the page is dark now: what is drawn once has to be drawn again when it changes. */
export const dark = computed(() => theme.value === "dark" || (theme.value === "system" && systemDark.value));

export function paint(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEPT, chosen);
  document.documentElement.dataset.theme = chosen;
}

/** A colour of tokens.css as it is now, `rgb(…)`. */
export const colour = (token: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(token);

/** The same, thin enough for a ground. */
export const wash = (token: string): string => `color-mix(in srgb, ${colour(token)} 20%, transparent)`;
