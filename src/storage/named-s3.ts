// What s3:// URLs on a command line name: objects, folders and globs of one bucket.
import { InputError, UsageError } from "../errors.ts";
import { compareKeys, folderPrefix } from "./keys.ts";
import type { Named } from "./named.ts";
import { openSource, splitS3 } from "./place.ts";
import type { Listed, S3Options } from "./ports.ts";

/** As `findNamed`, for s3:// URLs alone. */
export async function findObjects(urls: readonly string[], s3: S3Options | undefined): Promise<Named> {
  const buckets = [...new Set(urls.map((url) => splitS3(url)!.bucket))];
  if (buckets.length > 1) {
    throw new UsageError(`Cannot read the buckets ${buckets.join(" and ")} in one run: run it once for each`);
  }
  const bucket = openSource({ url: `s3://${buckets[0]}`, s3 });
  const found = new Map<string, Listed>();
  const folders: string[] = [];
  for (const url of urls) {
    const { prefix } = splitS3(url)!;
    const object = await bucket.head(prefix);
    if (object) {
      found.set(prefix, object);
      folders.push(folderOf(prefix));
      continue;
    }
    const glob = prefix.search(/[*?[{]/);
    const folder = glob < 0 ? folderPrefix(prefix) : folderOf(prefix.slice(0, glob));
    const matches = glob < 0 ? isVisibleBelow(folder) : new Bun.Glob(prefix).match.bind(new Bun.Glob(prefix));
    const before = found.size;
    for await (const listed of bucket.list(folder)) {
      if (!listed.key.endsWith("/") && matches(listed.key)) found.set(listed.key, listed);
    }
    if (glob >= 0 && found.size === before) throw new InputError(`Cannot read ${url}: no object matches`);
    folders.push(folder);
  }
  const common = commonPrefix(folders);
  const objects = [...found.values()].map((listed) => ({ ...listed, key: listed.key.slice(common.length) }));
  return {
    place: { url: `s3://${buckets[0]}/${common}`, s3 },
    objects: objects.sort((a, b) => compareKeys(a.key, b.key)),
  };
}

/** "a/b/" of "a/b/c", "" of "c". */
function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

function isVisibleBelow(folder: string): (key: string) => boolean {
  return (key) =>
    !key
      .slice(folder.length)
      .split("/")
      .some((name) => name.startsWith("."));
}

function commonPrefix(folders: readonly string[]): string {
  let common = folders[0]!;
  for (const folder of folders) while (!folder.startsWith(common)) common = folderOf(common.slice(0, -1));
  return common;
}
