// An S3 server inside the test: the few operations that derive needs, as S3 answers them, with faults at will.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { compareKeys } from "../../src/storage/keys.ts";
import { type Manners, Refusal, Store, type StoredObject } from "./store.ts";

export type Operation =
  | "ListObjectsV2"
  | "ListMultipartUploads"
  | "GetObject"
  | "HeadObject"
  | "PutObject"
  | "DeleteObject"
  | "CreateMultipartUpload"
  | "UploadPart"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload";

/** One request as it came in. */
export interface Asked {
  /** From 1. */
  readonly number: number;
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly headers: Headers;
}

/**
 * What goes wrong with one request: an error in place of an answer; the connection cut or silent before anything happens;
 * done, but the answer lost; the answer's body cut off or one of its bytes changed; the request's body changed on its way;
 * not done, and answered as if a proxy stood in between.
 */
export type Fault =
  | { readonly status: number; readonly code: string }
  | "reset"
  | "hang"
  | "lost"
  | "truncated"
  | "stalled"
  | "corrupted"
  | "empty"
  | "damaged request"
  | "another's page";

export interface Double {
  readonly endpoint: string;
  readonly store: Store;
  readonly asked: Asked[];
  /** Called for each request before it is looked at. */
  fault: (asked: Asked) => Fault | undefined;
  /** Called for each request before it takes effect: what others do meanwhile. */
  meanwhile: (asked: Asked) => void;
  /** How far away it is, where it is not near: bodies of objects come as from there, each connection for itself. */
  distance: { readonly latencyMs: number; readonly bytesPerSecond: number } | undefined;
  stop(): void;
}

export async function startDouble(manners: Partial<Manners> = {}): Promise<Double> {
  const store = new Store({ pageSize: 1000, conditions: "honoured", checksums: true, ranges: "honoured", ...manners });
  store.buckets.set("bucket", new Map());
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://double${request.url}`);
    const path = request.url!.split("?")[0]!.slice(1);
    const slash = path.indexOf("/");
    const bucket = decodeURIComponent(slash < 0 ? path : path.slice(0, slash));
    const key = slash < 0 ? "" : decodeURIComponent(path.slice(slash + 1));
    const headers = new Headers(request.headers as Record<string, string>);
    const operation = operationOf(request.method!, key, url.searchParams);
    const one: Asked = { number: asked.length + 1, operation, bucket, key, headers };
    asked.push(one);
    const fault = double.fault(one);
    if (fault === "hang") return;
    if (fault === "reset") return void request.socket.destroy();
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (fault === "damaged request" && body.length > 0) body[body.length >> 1]! ^= 1;
    double.meanwhile(one);
    if (fault === "another's page") return void response.end("<html><p>Please sign in");
    const reply = refusing(() => {
      if (typeof fault === "object") throw new Refusal(fault.status, fault.code);
      if (!/^AWS4-HMAC-SHA256 /.test(headers.get("authorization") ?? "") && !bucket.startsWith("public")) {
        throw new Refusal(403, "AccessDenied");
      }
      return perform(store, one, url.searchParams, body);
    });
    if (fault === "lost") return void request.socket.destroy();
    if (double.distance) await Bun.sleep(double.distance.latencyMs);
    await give(response, reply, request.method === "HEAD", fault, double.distance?.bytesPerSecond);
  }

  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const double: Double = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    asked,
    fault: () => undefined,
    meanwhile: () => {},
    distance: undefined,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return double;
}

function operationOf(method: string, key: string, query: URLSearchParams): Operation {
  if (method === "POST") return query.has("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
  if (method === "PUT") return query.has("partNumber") ? "UploadPart" : "PutObject";
  if (method === "DELETE") return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
  if (method === "HEAD") return "HeadObject";
  if (key !== "") return "GetObject";
  return query.has("uploads") ? "ListMultipartUploads" : "ListObjectsV2";
}

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
}

function refusing(action: () => Reply): Reply {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { status, code } = error;
    return {
      status,
      body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
    };
  }
}

const PACE_BYTES = 256 << 10;

async function give(
  response: ServerResponse,
  reply: Reply,
  head: boolean,
  fault: Fault | undefined,
  bytesPerSecond: number | undefined,
): Promise<void> {
  const body = Buffer.from(reply.body ?? "");
  const { "content-length": length = String(body.length), ...headers } = reply.headers ?? {};
  if (fault === "corrupted" && body.length > 0) body[body.length >> 1]! ^= 0x20;
  const sent = fault === "empty" ? Buffer.alloc(0) : body;
  const noBody = head || reply.status === 204;
  response.writeHead(reply.status, {
    ...(sent.length > 0 && !headers["content-type"] ? { "content-type": "application/xml" } : {}),
    ...headers,
    ...(reply.status === 204 ? {} : { "content-length": fault === "empty" ? "0" : length }),
  });
  if (fault === "truncated" || fault === "stalled") {
    response.write(sent.subarray(0, sent.length >> 1), () => {
      if (fault === "truncated") setTimeout(() => response.socket?.destroy(), 10);
    });
    return;
  }
  if (!noBody && bytesPerSecond !== undefined) {
    const began = performance.now();
    for (let at = 0; at < sent.length && !response.closed; at += PACE_BYTES) {
      response.write(sent.subarray(at, at + PACE_BYTES));
      await Bun.sleep(began + ((at + PACE_BYTES) * 1000) / bytesPerSecond - performance.now());
    }
    return void response.end();
  }
  response.end(noBody ? undefined : sent);
}

function perform(
  store: Store,
  { operation, bucket, key, headers }: Asked,
  query: URLSearchParams,
  body: Buffer,
): Reply {
  const id = query.get("uploadId") ?? "";
  switch (operation) {
    case "ListObjectsV2":
      return xml(listing(store, bucket, query));
    case "ListMultipartUploads":
      return xml(uploadListing(store, bucket, query.get("prefix") ?? ""));
    case "HeadObject":
    case "GetObject":
      return objectReply(store, store.get(bucket, key), headers);
    case "PutObject":
      return { status: 200, headers: { etag: store.put(bucket, key, body, headers).etag } };
    case "DeleteObject":
      store.remove(bucket, key, headers);
      return { status: 204 };
    case "CreateMultipartUpload":
      return xml(
        `<InitiateMultipartUploadResult><UploadId>${store.begin(bucket, key)}</UploadId></InitiateMultipartUploadResult>`,
      );
    case "UploadPart":
      return { status: 200, headers: { etag: store.putPart(id, Number(query.get("partNumber")), body, headers) } };
    case "CompleteMultipartUpload": {
      const { etag } = store.complete(id, body.toString(), headers);
      return xml(`<CompleteMultipartUploadResult><ETag>${escaped(etag)}</ETag></CompleteMultipartUploadResult>`);
    }
    case "AbortMultipartUpload":
      store.upload(id);
      store.uploads.delete(id);
      return { status: 204 };
  }
}

function objectReply(store: Store, object: StoredObject, headers: Headers): Reply {
  const match = headers.get("if-match");
  if (match !== null && match !== object.etag) throw new Refusal(412, "PreconditionFailed");
  const { bytes, etag } = object;
  const [range, from, last] = /^bytes=(\d+)?-(\d+)?$/.exec(headers.get("range") ?? "") ?? [];
  const start = Number(from ?? Math.max(0, bytes.length - Number(last ?? bytes.length)));
  const end = from === undefined ? bytes.length : Math.min(bytes.length, Number(last ?? bytes.length) + 1);
  if (range !== undefined && start >= bytes.length) throw new Refusal(416, "InvalidRange");
  // Beside a range S3 does not tell the checksum of all of the object.
  const isWhole = range === undefined || store.manners.ranges === "ignored";
  const checksums = headers.get("x-amz-checksum-mode") === "ENABLED" && isWhole ? object.headers : {};
  const body = isWhole ? bytes : bytes.subarray(start, end);
  const contentRange: Record<string, string> = isWhole
    ? {}
    : { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
  const common = { etag, "content-type": "binary/octet-stream", "content-length": String(body.length) };
  return { status: isWhole ? 200 : 206, headers: { ...common, ...checksums, ...contentRange }, body };
}

function listing(store: Store, bucket: string, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter");
  const after = query.get("continuation-token") ?? "";
  const encode = query.get("encoding-type") === "url" ? urlEncoded : escaped;
  const objects = [...store.bucket(bucket)].filter(([key]) => key.startsWith(prefix));
  const entries = new Map<string, StoredObject | undefined>();
  for (const [key, object] of objects.sort(([a], [b]) => compareKeys(a, b))) {
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (end < 0) entries.set(key, object);
    else entries.set(key.slice(0, end + 1), undefined);
  }
  const left = [...entries].filter(([name]) => after === "" || compareKeys(name, after) > 0);
  const page = left.slice(0, store.manners.pageSize);
  const more = left.length > page.length;
  return [
    `<ListBucketResult><Name>${bucket}</Name><Prefix>${encode(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>`,
    `<MaxKeys>${store.manners.pageSize}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>`,
    more ? `<NextContinuationToken>${escaped(page.at(-1)![0])}</NextContinuationToken>` : "",
    ...page.map(([name, object]) =>
      object
        ? `<Contents><Key>${encode(name)}</Key><ETag>${escaped(object.etag)}</ETag><Size>${object.bytes.length}</Size></Contents>`
        : `<CommonPrefixes><Prefix>${encode(name)}</Prefix></CommonPrefixes>`,
    ),
    "</ListBucketResult>",
  ].join("");
}

function uploadListing(store: Store, bucket: string, prefix: string): string {
  const found = [...store.uploads].filter(([, upload]) => upload.bucket === bucket && upload.key.startsWith(prefix));
  const uploads = found.map(([id, { key }]) => `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></Upload>`);
  return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join("")}</ListMultipartUploadsResult>`;
}

function xml(text: string): Reply {
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>${text}`,
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** As S3 does it: a space is "+". */
function urlEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll("%20", "+").replaceAll("%2F", "/");
}
