// The plan of a batch: which raw objects are read, cut into tasks, and the partition each belongs to. Plain data.

import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { compareKeys, folderPrefix } from "../storage/keys.ts";
import type { Listed, Source } from "../storage/ports.ts";
import { type Filter, type Wanted, wantedValues } from "./dimensions.ts";
import { hivePath } from "./hive.ts";
import type { Dataset } from "./metadata.ts";

/** One raw object: its key relative to the source, its stored bytes, and its ETag where the listing told it. */
export interface RawObject {
  readonly key: string;
  readonly size: number;
  readonly etag?: string;
}

/** What one worker reads in one go. Its end ends a row group, so tasks are cut by the plan alone, never by workers. */
export interface Task {
  /** From 0, in the order of keys, within the partition. */
  readonly index: number;
  readonly inputs: readonly RawObject[];
  /** The part of its one input that it reads, from one cut to the next; absent: all of its inputs. */
  readonly range?: { readonly start: number; readonly end: number };
}

/** One output folder. */
export interface Partition {
  /** "submission_date_s3=20151028", further dimensions below it, escaped as Hive does; "" for the whole of a convert. */
  readonly path: string;
  /** YYYYMMDD */
  readonly day?: string;
  readonly tasks: readonly Task[];
  readonly objects: number;
  readonly storedBytes: number;
}

export interface BatchPlan {
  readonly partitions: readonly Partition[];
  /** Requested days on which no object matches. */
  readonly emptyDays: readonly string[];
  /** Keys below a requested day that are no raw objects of the dataset: too few segments, or a hidden name (.DS_Store). Not read. */
  readonly strangers: readonly string[];
}

export interface BatchRequest {
  /** YYYYMMDD */
  readonly days: readonly string[];
  readonly filters: readonly Filter[];
  /** Default: the day alone. */
  readonly partitionBy?: readonly string[];
}

/** A raw object and its value of each dimension. */
export interface Located {
  readonly object: RawObject;
  readonly values: readonly string[];
}

const MiB = 1024 * 1024;

/**
 * How much a task reads, of a partition of so many bytes: small enough to keep 16 workers busy, large enough for its row
 * groups (each task has its own, which costs ExampleStream 4 % at 128 MiB, 1 % at 256); and no more than 64 tasks.
 */
function taskBytesOf(total: number): number {
  const shared = Math.min(512 * MiB, Math.max(128 * MiB, total / 16));
  return Math.ceil(Math.max(shared, total / 64));
}

/**
 * Cuts the objects of a partition, in the order of their keys, into tasks of 128 to 512 MiB or a 64th of the partition; larger
 * objects into ranges. Part of what a commit's bytes depend on: a change raises OUTPUT_FORMAT.
 */
export function planTasks(objects: readonly RawObject[], { taskBytes }: { taskBytes?: number } = {}): Task[] {
  const limit = taskBytes ?? taskBytesOf(objects.reduce((sum, object) => sum + object.size, 0));
  const groups: RawObject[][] = [];
  let bytes = 0;
  for (const object of [...objects].sort((a, b) => compareKeys(a.key, b.key))) {
    const group = groups.at(-1);
    if (group === undefined || bytes + object.size > limit) {
      groups.push([object]);
      bytes = object.size;
    } else {
      group.push(object);
      bytes += object.size;
    }
  }
  const tasks = groups.flatMap((inputs): Omit<Task, "index">[] =>
    inputs[0]!.size > limit ? cuts(inputs[0]!.size, limit).map((range) => ({ inputs, range })) : [{ inputs }],
  );
  return tasks.map((task, index) => ({ index, ...task }));
}

/** Ranges of the same length, none longer than `most`. */
function cuts(size: number, most: number): { start: number; end: number }[] {
  const count = Math.ceil(size / most);
  const at = (cut: number): number => Math.floor((size * cut) / count);
  return Array.from({ length: count }, (_, index) => ({ start: at(index), end: at(index + 1) }));
}

/** All inputs of tasks, each once. */
export function inputsOf(tasks: readonly Task[]): RawObject[] {
  return tasks.flatMap(({ inputs, range }) => (range === undefined || range.start === 0 ? inputs : []));
}

/** One partition of the objects that share an output folder. */
export function planPartition(path: string, objects: readonly RawObject[], { day }: { day?: string } = {}): Partition {
  const storedBytes = objects.reduce((sum, object) => sum + object.size, 0);
  return { path, day, tasks: planTasks(objects), objects: objects.length, storedBytes };
}

/**
 * Lists the raw objects of some days and plans them.
 * @throws {UsageError} for filters or a `partitionBy` that do not fit the dataset.
 * @throws {InputError} when the source cannot be listed.
 */
export async function planBatch(source: Source, dataset: Dataset, request: BatchRequest): Promise<BatchPlan> {
  const dimensions = dataset.dimensions.map(({ name }) => name);
  const by = partitionIndexes(dataset, request.partitionBy);
  const wanted = wantedValues(request.filters, dimensions);
  const partitions: Partition[] = [];
  const emptyDays: string[] = [];
  const strangers: string[] = [];
  for (const day of new Set(request.days)) {
    const folders = new Map<string, RawObject[]>();
    if (wanted[0]?.matches(day) ?? true) {
      for await (const { object, values } of locate(source, dataset, day, wanted, strangers)) {
        const path = hivePath(by.map((index) => ({ dimension: dimensions[index]!, value: values[index]! })));
        const objects = folders.get(path);
        if (objects) objects.push(object);
        else folders.set(path, [object]);
      }
    }
    if (folders.size === 0) emptyDays.push(day);
    const paths = [...folders.keys()].sort(compareKeys);
    partitions.push(...paths.map((path) => planPartition(path, folders.get(path)!, { day })));
  }
  return { partitions, emptyDays, strangers };
}

/**
 * The values of one raw object's dimensions, from its key below the bucket; undefined for what consoles leave for a folder.
 * @throws {UsageError} for a key that is none of the dataset's.
 */
export function valuesOfKey(dataset: Dataset, key: string, url: string): string[] | undefined {
  if (key.endsWith("/")) return undefined;
  const root = folderPrefix(dataset.prefix);
  const form = `${root}<${dataset.dimensions.map(({ name }) => name).join(">/<")}>/<object>`;
  const because = (state: string) =>
    new UsageError(`Cannot derive ${url}: ${state}. Keys of dataset ${dataset.name} have the form ${form}`);
  if (!key.startsWith(root))
    throw because(`its key does not begin with ${root}, the prefix of dataset ${dataset.name}`);
  const segments = key.slice(root.length).split("/");
  const depth = dataset.dimensions.length;
  if (segments.length <= depth)
    throw because(
      `its key has ${segments.length} segments after ${root || "the bucket"}, which is too few: ${depth + 1} are the least`,
    );
  if (segments[depth]!.startsWith(".")) throw because("its name begins with a dot, so it is no raw object");
  return segments.slice(0, depth);
}

/** The folder of a partition: "submission_date_s3=20151028". Throws UsageError for a `partitionBy` that does not fit. */
export function partitionPath(
  dataset: Dataset,
  partitionBy: readonly string[] | undefined,
  values: readonly string[],
): string {
  const indexes = partitionIndexes(dataset, partitionBy);
  return hivePath(indexes.map((index) => ({ dimension: dataset.dimensions[index]!.name, value: values[index]! })));
}

function partitionIndexes(dataset: Dataset, partitionBy: readonly string[] | undefined): number[] {
  const names = dataset.dimensions.map(({ name }) => name);
  const wanted = partitionBy ?? names.slice(0, 1);
  const cannot = `Cannot partition dataset ${dataset.name} by ${wanted.join(", ") || "nothing"}:`;
  for (const name of wanted) {
    if (!names.includes(name)) {
      throw new UsageError(
        `${cannot} it has no dimension ${name}.${didYouMean(name, names)} It has ${names.join(", ")}`,
      );
    }
  }
  if (wanted[0] !== names[0]) throw new UsageError(`${cannot} the day comes first. Begin partitionBy with ${names[0]}`);
  if (new Set(wanted).size !== wanted.length)
    throw new UsageError(`${cannot} a dimension is named twice. Name it once`);
  return wanted.map((name) => names.indexOf(name));
}

/**
 * The raw objects of one day with their values. Folders are listed level by level down to the last dimension that is pruned,
 * so that unwanted objects are not listed at all; below it the listing is flat.
 */
export async function* locate(
  source: Source,
  dataset: Dataset,
  day: string,
  wanted: readonly (Wanted | undefined)[],
  strangers: string[],
): AsyncIterable<Located> {
  const root = folderPrefix(dataset.prefix);
  const depth = dataset.dimensions.length;
  const lastPruned = wanted.findLastIndex((one, index) => index > 0 && one !== undefined);

  async function* below(prefix: string, level: number): AsyncIterable<Located> {
    if (level > lastPruned) {
      for await (const listed of source.list(prefix)) yield* placed(listed);
      return;
    }
    for (const name of await foldersAt(prefix, wanted[level])) yield* below(`${prefix}${name}/`, level + 1);
  }

  /** Values asked for by name are looked up directly: their siblings need not be listed. */
  async function foldersAt(prefix: string, one: Wanted | undefined): Promise<readonly string[]> {
    if (one?.literals) return [...one.literals].sort(compareKeys);
    const { folders, objects } = await source.folders(prefix);
    strangers.push(...objects.filter(isNoMarker).map(({ key }) => key));
    return one ? folders.filter(one.matches) : folders;
  }

  function* placed(listed: Listed): Iterable<Located> {
    const segments = listed.key.slice(root.length).split("/");
    const name = segments.slice(depth).join("/");
    if (name !== "" && !name.startsWith(".")) {
      yield { object: listed, values: segments.slice(0, depth) };
    } else if (isNoMarker(listed)) {
      strangers.push(listed.key);
    }
  }

  yield* below(`${root}${day}/`, 1);
}

/** Consoles leave empty objects whose keys end in "/" in S3, one for each folder made by hand. */
function isNoMarker({ key, size }: Listed): boolean {
  return size > 0 || !key.endsWith("/");
}
