// A store that gives files as S3 gives objects, in a process of its own, cheap enough not to be what is measured.
// bun scripts/bench/file-server.ts <folder>: the port on stdout. Buckets: "crc32", "crc32c" and "crc64nvme" tell such a CRC of each
// object, "md5" none, so that the ETag has to do.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sumOf } from "../../src/storage/s3-checksum.ts";
import { CRC_NAMES } from "../../src/storage/s3-crc.ts";
import { md5Of } from "../../test/s3/store.ts";
import { buildWebAssembly } from "../webassembly.ts";

interface StoredFile {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  /** By the names of buckets. */
  readonly sums: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const folder = process.argv[2] ?? "";
buildWebAssembly();
const objects = new Map<string, StoredFile>();
for (const name of readdirSync(folder).sort()) {
  const bytes = readFileSync(join(folder, name));
  const etag = `"${md5Of(bytes).toString("hex")}"`;
  const sums: Record<string, Record<string, string>> = {};
  for (const crc of CRC_NAMES) {
    const sum = await sumOf(crc);
    sum.update(bytes);
    const value = Buffer.from(await sum.digest()).toString("base64");
    const kind = crc.toLowerCase();
    sums[kind] = { [`x-amz-checksum-${kind}`]: value, "x-amz-checksum-type": "FULL_OBJECT" };
  }
  objects.set(`raw/${name}`, { path: join(folder, name), size: bytes.length, etag, sums });
}

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 60, fetch: answer });
console.log(server.port);

function answer(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url);
  const [, bucket, ...rest] = pathname.split("/");
  const key = decodeURIComponent(rest.join("/"));
  if (key === "") return listing(searchParams.get("prefix") ?? "");
  const object = objects.get(key);
  if (object === undefined) return new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 });
  const { path, size, etag, sums } = object;
  const [range, from = 0, last = size - 1] = /^bytes=(\d+)-(\d+)?$/.exec(request.headers.get("range") ?? "") ?? [];
  const [start, end] = [Number(from), Math.min(size, Number(last) + 1)];
  const headers = { etag, ...(!range && sums[bucket ?? ""]) };
  if (request.method === "HEAD") return new Response(null, { headers: { ...headers, "content-length": `${size}` } });
  const body = Bun.file(path).slice(start, end);
  const partly = { ...headers, "content-range": `bytes ${start}-${end - 1}/${size}` };
  return new Response(body, range ? { status: 206, headers: partly } : { headers });
}

function listing(prefix: string): Response {
  const contents = [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, { etag, size }]) => `<Contents><Key>${key}</Key><ETag>${etag}</ETag><Size>${size}</Size></Contents>`);
  const xml = `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`;
  return new Response(`<?xml version="1.0"?>${xml}`, { headers: { "content-type": "application/xml" } });
}
