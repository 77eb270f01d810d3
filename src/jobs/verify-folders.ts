// What lies in the folders of a derived place, sorted into what is ours and what is not: from one flat listing.

import type { Source } from "../storage/ports.ts";
import { CLAIM } from "./claim.ts";
import { MANIFEST } from "./manifest.ts";

/** A folder that holds something of ours. Names are relative to it. */
export interface FolderFound {
  /** "" for the place itself, else it ends in "/". */
  readonly key: string;
  manifest: string | undefined;
  claimed: boolean;
  readonly parts: Set<string>;
  readonly events: string[];
  /** The first ones only: below a wrong place there may be millions. */
  readonly strangers: string[];
  strangerCount: number;
}

const STRANGERS_KEPT = 100;

/**
 * The folders of a place that hold a manifest, a claim, parts or event parts; each is given when the listing leaves it, so a
 * folder comes after those inside it.
 */
export async function* foldersOf(place: Source): AsyncGenerator<FolderFound> {
  // The folder that the listing is in, and those around it: keys come in order, so a folder that was left is not met again.
  const open: FolderFound[] = [];
  for await (const { key } of place.list("")) {
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    while (open.length > 0 && !folder.startsWith(open.at(-1)!.key)) yield* ours(open.pop()!);
    if (open.at(-1)?.key !== folder) open.push(emptyFolder(folder));
    sortIn(open.at(-1)!, key.slice(folder.length));
  }
  for (const folder of open.reverse()) yield* ours(folder);
}

function* ours(folder: FolderFound): Iterable<FolderFound> {
  const { manifest, claimed, parts, events } = folder;
  if (manifest !== undefined || claimed || parts.size > 0 || events.length > 0) yield folder;
}

function emptyFolder(key: string): FolderFound {
  return { key, manifest: undefined, claimed: false, parts: new Set(), events: [], strangers: [], strangerCount: 0 };
}

function sortIn(folder: FolderFound, name: string): void {
  if (name === MANIFEST) folder.manifest = name;
  else if (name === CLAIM) folder.claimed = true;
  else if (name === "" || name.startsWith("_") || name.startsWith(".")) return;
  else if (name.startsWith("part-")) folder.parts.add(name);
  else if (/^event-.*\.parquet$/.test(name)) folder.events.push(name);
  else if (++folder.strangerCount <= STRANGERS_KEPT) folder.strangers.push(name);
}
