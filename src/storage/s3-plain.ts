// How objects of a bucket are asked for where nothing about it is special, told without the SDK: to load that, and to let it send its
// first request, takes 25 ms in each thread.
import type { S3Options } from "./ports.ts";
import type { Settings } from "./s3-client.ts";
import { isPlain } from "./s3-endpoint.ts";
import type { ObjectRequest } from "./s3-fetch.ts";
import type { Pattern } from "./s3-quick.ts";

/** Those whose servers are below amazonaws.com: not those of governments and China. */
const REGION = /^(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-\d$/;

/** Without what certificates and the names of hosts do not go with. */
const BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Names of buckets in one zone, of access points and the like. */
const SPECIAL = /--|-s3alias$/;

/** The pattern that the SDK's requests would show, undefined where only the SDK knows. */
export async function plainPattern(
  bucket: string,
  settings: Settings,
  options: S3Options,
): Promise<Pattern | undefined> {
  const address = BUCKET.test(bucket) && !SPECIAL.test(bucket) ? addressOf(bucket, settings) : undefined;
  if (address === undefined || !(await isPlain(options))) return undefined;
  const { protocol, hostname, host, port, pathname } = address;
  const headers = {
    host,
    "x-amz-checksum-mode": "ENABLED",
    ...(options.requestPayer && { "x-amz-request-payer": "requester" }),
  };
  const request = { method: "GET", protocol, hostname, port: port ? Number(port) : undefined, path: pathname, headers };
  return { request: { ...request, query: {} }, sign: await signerOf(settings, options) };
}

/** Where its keys begin. */
function addressOf(bucket: string, { endpoint, region, forcePathStyle }: Settings): URL | undefined {
  if (endpoint === undefined) {
    if (!REGION.test(region)) return undefined;
    const host = `s3.${region}.amazonaws.com`;
    return new URL(forcePathStyle ? `https://${host}/${bucket}/` : `https://${bucket}.${host}/`);
  }
  const url = URL.parse(endpoint);
  if (!forcePathStyle || url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username || url.password || url.search || url.hash) return undefined;
  return new URL(`${url.origin}${url.pathname.replace(/\/$/, "")}/${bucket}/`);
}

async function signerOf({ region, credentials }: Settings, { noSignRequest }: S3Options): Promise<Pattern["sign"]> {
  if (noSignRequest) return async (request) => request;
  const [{ SignatureV4 }, { Hash }] = await Promise.all([import("@smithy/signature-v4"), import("@smithy/core/serde")]);
  const sha256 = Hash.bind(null, "sha256");
  const signer = new SignatureV4({ service: "s3", region, credentials: credentials!, sha256, uriEscapePath: false });
  return (request) => signer.sign(request as Parameters<typeof signer.sign>[0]) as Promise<ObjectRequest>;
}
