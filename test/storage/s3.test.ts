// The S3 place keeps the promises of the ports: against the double, and against the server that S3_TEST_ENDPOINT names.
import { afterAll } from "bun:test";
import { s3Sink, s3Source } from "../../src/storage/s3.ts";
import { type Double, startDouble } from "../s3/double.ts";
import type { Manners } from "../s3/store.ts";
import { contract } from "./contract.ts";
import { bucketAt, CREDENTIALS } from "./s3-places.ts";

Object.assign(process.env, CREDENTIALS);
const doubles: Double[] = [];
afterAll(() => {
  for (const double of doubles) double.stop();
});

let places = 0;
function fresh(endpointUrl: string, bucket = "bucket", conditional = true) {
  const place = { bucket, prefix: `place ${process.pid}-${++places}`, options: { endpointUrl } };
  return { source: s3Source(place), sink: s3Sink(place), conditional };
}

const MANNERS: Record<string, Partial<Manners>> = {
  "the double": {},
  "the double, two keys a page, no checksums kept": { pageSize: 2, checksums: false },
  "the double, ranges ignored": { ranges: "ignored" },
  "the double, conditions ignored": { conditions: "ignored" },
  "the double, conditions refused": { conditions: "refused" },
  "the double, ETags compared with their quotes": { conditions: "quoted" },
};
for (const [name, manners] of Object.entries(MANNERS)) {
  const double = await startDouble(manners);
  doubles.push(double);
  contract(`S3 (${name})`, () => fresh(double.endpoint, "bucket", manners.conditions === undefined));
}

const { S3_TEST_ENDPOINT, S3_TEST_CONDITIONAL } = process.env;
if (S3_TEST_ENDPOINT) {
  const bucket = await bucketAt(S3_TEST_ENDPOINT);
  contract(`S3 (${S3_TEST_ENDPOINT})`, () => fresh(S3_TEST_ENDPOINT, bucket, S3_TEST_CONDITIONAL !== "false"));
}
