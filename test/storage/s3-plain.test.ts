// A request that is made without the SDK is the one that the SDK makes: the same address, the same headers, the same signature.
import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Options } from "../../src/storage/ports.ts";
import { s3Source } from "../../src/storage/s3.ts";
import { connect } from "../../src/storage/s3-client.ts";
import type { ObjectRequest } from "../../src/storage/s3-fetch.ts";
import { PATIENCE } from "../../src/storage/s3-patience.ts";
import { plainPattern } from "../../src/storage/s3-plain.ts";
import { Fetched, type Pattern } from "../../src/storage/s3-quick.ts";
import { content, textOf } from "./contract.ts";
import { CREDENTIALS } from "./s3-places.ts";

const ENDPOINTS = "AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_PROFILE AWS_DEFAULT_REGION AWS_SESSION_TOKEN".split(" ");
const before = { ...process.env };
let folder = "";
beforeEach(() => {
  for (const name of ENDPOINTS) delete process.env[name];
  Object.assign(process.env, CREDENTIALS);
  folder = mkdtempSync(join(tmpdir(), "derive-plain-"));
  process.env.AWS_CONFIG_FILE = join(folder, "config");
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, "credentials");
});
afterEach(() => {
  setSystemTime();
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  rmSync(folder, { recursive: true, force: true });
});

/** Each time other options for the connection, which is kept. */
let times = 0;
const fresh = () => ({ ...PATIENCE, attempts: 1, waitMs: ++times });

/** What the SDK shows when its request for "a key" is answered, without one that is sent. */
async function shownBySdk(bucket: string, options: S3Options): Promise<Pattern | undefined> {
  const { client: load, patterns } = connect(options, fresh());
  const { sdk, client } = await load();
  client.config.requestHandler.handle = async () => ({
    response: { statusCode: 200, headers: { etag: '"x"' }, body: new Blob() } as never,
  });
  const RequestPayer = options.requestPayer ? ("requester" as const) : undefined;
  const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: "a key", RequestPayer });
  await client.send(command, { fetched: new Fetched() } as never);
  return patterns.get(bucket);
}

async function plainOf(bucket: string, options: S3Options): Promise<Pattern | undefined> {
  return plainPattern(bucket, await connect(options, fresh()).settings, options);
}

/** Without what only tells of the SDK. */
function essence({ protocol, hostname, port, path, query, headers }: ObjectRequest): object {
  const told = Object.entries(headers).filter(([name]) => !/^(x-amz-)?user-agent$/i.test(name));
  return { protocol, hostname, port, path, query, headers: Object.fromEntries(told) };
}

const PLAIN: [string, string, S3Options][] = [
  ["AWS", "bucket", {}],
  ["another region", "some-bucket-7", { region: "ap-southeast-2" }],
  ["AWS by its path", "bucket", { pathStyle: true, region: "eu-west-3" }],
  ["an endpoint", "bucket", { endpointUrl: "http://127.0.0.1:9000" }],
  ["an endpoint with a path", "bucket", { endpointUrl: "https://store.example/s3/" }],
  ["a bucket whose reader pays", "bucket", { requestPayer: true }],
  ["no credentials", "bucket", { noSignRequest: true }],
];

describe("as the SDK", () => {
  for (const [name, bucket, options] of PLAIN) {
    for (const session of [false, true]) {
      test(`${name}${session ? ", for a session" : ""}`, async () => {
        if (session) process.env.AWS_SESSION_TOKEN = "a-token";
        setSystemTime(new Date("2026-03-04T05:06:07Z"));
        const [theirs, plain] = [(await shownBySdk(bucket, options))!, (await plainOf(bucket, options))!];
        expect(essence({ ...plain.request, method: "HEAD" })).toEqual(essence({ ...theirs.request, method: "HEAD" }));
        const one = {
          ...theirs.request,
          headers: { ...plain.request.headers, range: "bytes=0-9", "if-match": '"e"' },
          path: `${theirs.request.path}a%20key/%C3%A9`,
        };
        const signed = await Promise.all([theirs.sign({ ...one }), plain.sign({ ...one })]);
        expect(signed[1]!.headers).toEqual(signed[0]!.headers);
        expect("authorization" in signed[1]!.headers).toBe(!options.noSignRequest);
        expect("x-amz-security-token" in signed[1]!.headers).toBe(session && !options.noSignRequest);
      });
    }
  }
});

describe("left to the SDK", () => {
  for (const [name, bucket, options] of [
    ["a bucket in one zone", "logs--use1-az4--x-s3", {}],
    ["an access point", "arn:aws:s3:us-west-2:123456789012:accesspoint/raw", {}],
    ["an access point's other name", "raw-abcdefghijklmnopqrstuvwxyz0123456-s3alias", {}],
    ["a name with a dot", "some.bucket", {}],
    ["a name in capitals", "Bucket", { pathStyle: true }],
    ["China", "bucket", { region: "cn-north-1" }],
    ["a government", "bucket", { region: "us-gov-west-1" }],
    ["the bucket before an endpoint's name", "bucket", { endpointUrl: "https://store.example", pathStyle: false }],
    ["an endpoint that is none", "bucket", { endpointUrl: "127.0.0.1:9000" }],
    ["an endpoint with a password", "bucket", { endpointUrl: "http://a:b@127.0.0.1:9000" }],
  ] as [string, string, S3Options][]) {
    test(name, async () => expect(await plainOf(bucket, options)).toBeUndefined());
  }

  test("other endpoints and signatures that variables or a profile ask for", async () => {
    writeFileSync(
      process.env.AWS_CONFIG_FILE!,
      "[profile dual]\nuse_dualstack_endpoint = true\n[profile simple]\nregion = eu-west-1\n",
    );
    for (const name of ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_AUTH_SCHEME_PREFERENCE"]) {
      process.env[name] = "true";
      expect(await plainOf("bucket", {})).toBeUndefined();
      delete process.env[name];
    }
    delete process.env.AWS_REGION;
    expect(await plainOf("bucket", { profile: "dual" })).toBeUndefined();
    expect((await plainOf("bucket", { profile: "simple" }))!.request.hostname).toBe(
      "bucket.s3.eu-west-1.amazonaws.com",
    );
  });
});

test("a bucket elsewhere that tells its region is asked there, by the SDK at first", async () => {
  const regions: string[] = [];
  const store = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ headers }) {
      const region = /Credential=[^/]+\/\d+\/([^/]+)/.exec(headers.get("authorization") ?? "")![1]!;
      regions.push(region);
      if (region === "eu-west-3") return new Response("bytes", { headers: { etag: '"x"' } });
      const error = "<Error><Code>PermanentRedirect</Code></Error>";
      return new Response(error, { status: 301, headers: { "x-amz-bucket-region": "eu-west-3" } });
    },
  });
  const options = { endpointUrl: `http://127.0.0.1:${store.port}` };
  const source = s3Source({ bucket: "bucket", prefix: "", options });
  for (const key of ["a", "b", "c"]) expect(textOf(await content(source.open(key)))).toBe("bytes");
  expect(regions).toEqual(["us-east-1", "us-east-1", "eu-west-3", "eu-west-3", "eu-west-3"]);
  await store.stop(true);
});
