// Which dataset a command reads, and the place its keys are below.
import { type Dataset, readDataset, readDatasets } from "../jobs/metadata.ts";
import { openSource } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import { required, type Settings } from "./config.ts";
import { placeOf } from "./places.ts";

/**
 * A dataset of derive.toml or else of the metadata place, with the place that holds its raw objects. `datasetOf` where that
 * was begun before.
 */
export async function findDataset(
  settings: Settings,
  name: string,
  datasetOf = beginDatasets(settings),
): Promise<{ dataset: Dataset; place: Place }> {
  const dataset = await datasetOf(name);
  const bucket = dataset.bucket === undefined ? undefined : `s3://${dataset.bucket}`;
  const url = settings.input ?? bucket ?? required(settings, "input", `the raw objects of dataset ${name}`);
  return { dataset, place: placeOf(settings, "input", url) };
}

/** A dataset of derive.toml or else of the metadata place. */
export function datasetNamed(settings: Settings, name: string): Promise<Dataset> {
  return beginDatasets(settings)(name);
}

/** Begins to read which datasets there are, for who comes to know the name of one a little later. */
export function beginDatasets(settings: Settings): (name: string) => Promise<Dataset> {
  const isNeeded = settings.sources.size === 0 && settings.metadata !== undefined;
  const begun = isNeeded ? readDatasets(openMetadata(settings, "the place of sources.json")) : undefined;
  begun?.catch(() => {}); // told where a name is asked for
  return async (name) => {
    const described = settings.sources.get(name);
    if (described) return described;
    const metadata = openMetadata(settings, `dataset ${name}: the place of sources.json`);
    return readDataset(metadata, name, begun);
  };
}

/** The metadata place; `use` says what for. Throws UsageError where none is set. */
export function openMetadata(settings: Settings, use: string) {
  return openSource(placeOf(settings, "metadata", required(settings, "metadata", use)));
}
