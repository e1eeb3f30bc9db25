/** Light, dark, or as the system has it. */

import { signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = "ertis.theme";

function first(): Theme {
  const kept = localStorage.getItem(KEPT);
  return THEMES.find((one) => one === kept) ?? "system";
}

export const theme = signal<Theme>(first());

export function paint(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEPT, chosen);
  document.documentElement.dataset.theme = chosen;
}
