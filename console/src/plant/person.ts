/** Who sits here, as the API knows them. */

import { computed, signal } from "@preact/signals";
import * as api from "./api";
import type { Me } from "./types";

export const me = signal<Me | null>(null);

/** Whether this person may acknowledge and shelve; the API decides, this only shows it. */
export const acts = computed(() => me.value !== null && me.value.role !== "viewer");

/** Ask the API who this is; without an answer nobody is known. */
export async function introduce(): Promise<void> {
  me.value = await api.get<Me>("/me").catch(() => null);
}

export async function enter(key: string): Promise<void> {
  await api.enter(key);
  await introduce();
  api.refused.value = false;
}

export async function leave(): Promise<void> {
  await api.leave();
  me.value = null;
  location.reload();
}
