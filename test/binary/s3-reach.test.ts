// How the built binary reaches S3: variables, profiles, flags, and the tables of derive.toml for one place. Two doubles tell by
// whom they were asked, and for which region.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { type Double, startDouble } from "../s3/double.ts";
import { derive } from "./derive.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAVARIABLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_EC2_METADATA_DISABLED: "true" };
const RAW = "s3://bucket/raw é+%";
const OBJECT = `${RAW}/telemetry/20151028/a`;
let folder = "";
let one: Double;
let two: Double;

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-s3-reach-"));
  writeFileSync(
    join(folder, "S.ts"),
    `import { defineStream, string } from "derive";
    export default defineStream({ streamName: "telemetry", columns: { id: string("documentId") } });`,
  );
  [one, two] = [await startDouble(), await startDouble()];
  for (const { store } of [one, two]) {
    const raw = (key: string, bytes: Uint8Array | string) => store.place("bucket", `raw é+%/${key}`, bytes);
    raw("sources.json", '{"telemetry": {"prefix": "telemetry", "metadata_prefix": "meta", "bucket": "nowhere"}}');
    raw("meta/schema.json", '{"dimensions": [{"field_name": "submissionDate", "allowed_values": "*"}]}');
    raw("telemetry/20151028/a", framePing({ id: "a", type: "main" }, {}, "heka"));
  }
  mkdirSync(join(folder, ".aws"));
  writeFileSync(
    join(folder, ".aws/config"),
    [
      ...["[default]", "region = us-west-2", "aws_access_key_id = AKIADEFAULT", "aws_secret_access_key = secret"],
      ...["[profile work]", "region = ap-south-1", "aws_access_key_id = AKIAWORK", "aws_secret_access_key = secret"],
      ...["[profile own]", "services = mine", "aws_access_key_id = AKIAOWN", "aws_secret_access_key = secret"],
      ...["[services mine]", "s3 =", `  endpoint_url = ${two.endpoint}`],
    ].join("\n"),
  );
});
afterAll(() => {
  one.stop();
  two.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  one.asked.length = two.asked.length = 0;
});

/** "AKIA… region" of all requests to a double, once each. */
function askedBy({ asked }: Double): string[] {
  const signed = /Credential=([^/]+)\/\d+\/([^/]+)/;
  return [
    ...new Set(
      asked.map(
        ({ headers }) =>
          signed
            .exec(headers.get("authorization") ?? "")
            ?.slice(1, 3)
            .join(" ") ?? "",
      ),
    ),
  ];
}

const cases: [string, string[], Record<string, string>, Partial<Record<"one" | "two", string>>][] = [
  ["variables", [], { ...KEYS, AWS_ENDPOINT_URL: "one" }, { one: "AKIAVARIABLE us-west-2" }],
  [
    "a region of variables",
    [],
    { ...KEYS, AWS_ENDPOINT_URL_S3: "one", AWS_REGION: "eu-west-1" },
    { one: "AKIAVARIABLE eu-west-1" },
  ],
  [
    "DERIVE_*",
    [],
    { DERIVE_ENDPOINT_URL: "one", DERIVE_REGION: "eu-west-3", DERIVE_PROFILE: "work" },
    { one: "AKIAWORK eu-west-3" },
  ],
  ["the default profile", [], { AWS_ENDPOINT_URL: "one" }, { one: "AKIADEFAULT us-west-2" }],
  [
    "flags over variables",
    ["--profile", "work", "--endpoint-url", "two"],
    { ...KEYS, AWS_ENDPOINT_URL: "one" },
    { two: "AKIAWORK ap-south-1" },
  ],
  ["a profile with an endpoint", ["--profile", "own"], {}, { two: "AKIAOWN us-east-1" }],
  ["AWS_PROFILE with an endpoint", [], { AWS_PROFILE: "own" }, { two: "AKIAOWN us-east-1" }],
];
test.each(cases)("%s", async (_name, flags, env, expected) => {
  const named: Record<string, string> = { one: one.endpoint, two: two.endpoint };
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, named[value] ?? value]));
  const words = ["cat", "--count", OBJECT, ...flags.map((word) => named[word] ?? word)];
  const { exit, stderr } = await derive(words, folder, { env: { HOME: folder, ...given } });
  expect([exit, stderr]).toEqual([0, ""]);
  expect([askedBy(one), askedBy(two)]).toEqual([expected.one, expected.two].map((asked) => (asked ? [asked] : [])));
});

test("the roles of containers and machines", async () => {
  const credentials = {
    Code: "Success",
    AccessKeyId: "AKIAROLE",
    SecretAccessKey: "s",
    Token: "t",
    Expiration: "2999-01-01T00:00:00Z",
  };
  const server = createServer(({ method, url }, response) => {
    const listed = url?.endsWith("/security-credentials/") ? "role" : JSON.stringify(credentials);
    response.end(method === "PUT" ? "token" : listed);
  });
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const env of [
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${at}/role` },
    { AWS_EC2_METADATA_SERVICE_ENDPOINT: at },
  ] as Record<string, string>[]) {
    one.asked.length = 0;
    const { exit } = await derive(["cat", "--count", OBJECT, "--endpoint-url", one.endpoint], folder, { env });
    expect([exit, askedBy(one)]).toEqual([0, ["AKIAROLE us-east-1"]]);
  }
  server.close();
});

test("tables of derive.toml reach each place in its own way; `derive config` tells of them", async () => {
  const place = (name: string, { endpoint }: Double, more: string) =>
    `[${name}]\nendpoint-url = "${endpoint}"\n${more}`;
  const toml = [
    place("metadata", one, `place = "${RAW}"\nregion = "eu-north-1"`),
    place("input", one, `place = "${RAW}"\nprofile = "work"\nrequest-payer = true\nrequire-checksum = true`),
    place("output", two, 'place = "s3://bucket/out"\nregion = "sa-east-1"'),
  ];
  writeFileSync(join(folder, "derive.toml"), toml.join("\n"));
  try {
    const env = { HOME: folder };
    const { exit } = await derive(["batch", "./S.ts", "--from", "20151028"], folder, { env });
    expect(exit).toBe(0);
    expect(askedBy(one)).toEqual(["AKIADEFAULT eu-north-1", "AKIAWORK ap-south-1"]);
    expect(askedBy(two)).toEqual(["AKIADEFAULT sa-east-1"]);
    const payer = (double: Double) => double.asked.filter(({ headers }) => headers.has("x-amz-request-payer")).length;
    expect([payer(one), payer(two)]).toEqual([one.asked.length - 2, 0]); // all but sources.json and schema.json
    const { stdout } = await derive(["config"], folder, { env });
    expect(stdout).toMatch(/input\.request-payer +true +derive\.toml/);
  } finally {
    rmSync(join(folder, "derive.toml"));
  }
});

test("no credentials; none wanted; an endpoint that is none", async () => {
  const env = { AWS_EC2_METADATA_DISABLED: "true", AWS_ENDPOINT_URL: one.endpoint };
  const none = await derive(["cat", "--count", OBJECT], folder, { env });
  expect([none.exit, one.asked.length]).toEqual([4, 0]);
  expect(none.stderr).toContain("no AWS credentials were found");
  one.store.place("public-data", "a", framePing({ id: "a", type: "main" }, {}, "heka"));
  const open = await derive(["cat", "--count", "s3://public-data/a", "--no-sign-request"], folder, { env });
  expect([open.exit, askedBy(one)]).toEqual([0, [""]]);
  const wrong = await derive(["cat", "--count", OBJECT, "--endpoint-url", "127.0.0.1:9000"], folder, { env });
  expect([wrong.exit, wrong.stderr]).toEqual([2, expect.stringContaining("http://127.0.0.1:9000")]);
});
