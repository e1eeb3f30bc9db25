/** The plant as assets: read once, and asked by path, type and measure. */

import { computed, signal } from "@preact/signals";
import type { Asset, Kpi } from "./types";

export const site = signal<Asset | null>(null);
export const catalogue = signal<ReadonlyMap<string, Kpi>>(new Map());

export function* below(asset: Asset): Generator<Asset> {
  yield asset;
  for (const child of asset.children) yield* below(child);
}

const byPath = computed<ReadonlyMap<string, Asset>>(
  () => new Map(site.value ? [...below(site.value)].map((one) => [one.path, one]) : []),
);

export function assetAt(path: string): Asset | undefined {
  return byPath.value.get(path);
}

export function ofType(...types: string[]): Asset[] {
  return [...byPath.value.values()].filter((one) => types.includes(one.type));
}

/** The units of *asset* that have a measure of that name. */
export function measuring(asset: Asset, measure: string): Asset[] {
  return [...below(asset)].filter((one) => one.measures.includes(measure));
}

export const lastStep = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
