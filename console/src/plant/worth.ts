/** What readings are worth. */

import { type Newest, STALE, UNCERTAIN } from "./types";

/** The newest values as numbers; null where one is missing or not to be believed. */
export function believed(newest: readonly (Newest | null)[]): number[] | null {
  const values = newest.map((one) => (one && one.quality >= UNCERTAIN && one.quality < STALE ? one.value : null));
  return values.every((one): one is number => one !== null) ? values : null;
}
