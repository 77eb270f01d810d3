// What lies in a raw dataset, for `derive ls`: its days, and what one day consists of.

import { compareKeys, folderPrefix } from "../storage/keys.ts";
import type { Source } from "../storage/ports.ts";
import type { Dataset } from "./metadata.ts";
import { locate } from "./plan.ts";

/** How much of a day has one value of a dimension. */
export interface DimensionValue {
  readonly value: string;
  readonly objects: number;
  readonly storedBytes: number;
}

export interface DayListing {
  /** YYYYMMDD */
  readonly day: string;
  readonly objects: number;
  readonly storedBytes: number;
  /** In the order of the dataset, without the day; values in the order of keys. */
  readonly dimensions: readonly { readonly name: string; readonly values: readonly DimensionValue[] }[];
  /** Keys that are no raw objects of the dataset, as in `BatchPlan`. */
  readonly strangers: readonly string[];
}

/** The raw days of a dataset, in order: the folders right below its prefix. */
export async function listDays(source: Source, dataset: Dataset): Promise<string[]> {
  return (await source.folders(folderPrefix(dataset.prefix))).folders;
}

/** The objects of one day, counted by the values of each dimension. */
export async function listDay(source: Source, dataset: Dataset, day: string): Promise<DayListing> {
  const strangers: string[] = [];
  const counts = dataset.dimensions.map(() => new Map<string, { objects: number; storedBytes: number }>());
  let objects = 0;
  let storedBytes = 0;
  for await (const { object, values } of locate(source, dataset, day, [], strangers)) {
    objects++;
    storedBytes += object.size;
    values.forEach((value, index) => {
      const count = counts[index]!.get(value) ?? { objects: 0, storedBytes: 0 };
      counts[index]!.set(value, { objects: count.objects + 1, storedBytes: count.storedBytes + object.size });
    });
  }
  const dimensions = dataset.dimensions.slice(1).map(({ name }, index) => ({
    name,
    values: [...counts[index + 1]!]
      .map(([value, count]) => ({ value, ...count }))
      .sort((a, b) => compareKeys(a.value, b.value)),
  }));
  return { day, objects, storedBytes, dimensions, strangers };
}
