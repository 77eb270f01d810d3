// Which dataset a command reads, and the place its keys are below.
import { type Dataset, readDataset } from "../jobs/metadata.ts";
import { openSource } from "../storage/place.ts";
import { required, type Settings } from "./config.ts";

/** A dataset of derive.toml or else of the metadata place, with the place that holds its raw objects. */
export async function findDataset(settings: Settings, name: string): Promise<{ dataset: Dataset; place: string }> {
  const dataset =
    settings.sources.get(name) ??
    (await readDataset(openSource(required(settings, "metadata", `dataset ${name}: the place of sources.json`)), name));
  const bucket = dataset.bucket === undefined ? undefined : `s3://${dataset.bucket}`;
  const place = settings.input ?? bucket ?? required(settings, "input", `the raw objects of dataset ${name}`);
  return { dataset, place };
}
