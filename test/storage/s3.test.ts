// The S3 place keeps the promises of the ports: against the double, and against the server that S3_TEST_ENDPOINT names.
import { afterAll, beforeAll } from "bun:test";
import { s3Sink, s3Source } from "../../src/storage/s3.ts";
import { type Double, startDouble } from "../s3/double.ts";
import { contract } from "./contract.ts";
import { bucketAt, CREDENTIALS } from "./s3-places.ts";

Object.assign(process.env, CREDENTIALS);
let double: Double;
let small: Double;
beforeAll(async () => {
  double = await startDouble();
  small = await startDouble({ pageSize: 2, checksums: false });
});
afterAll(() => {
  double.stop();
  small.stop();
});

let places = 0;
function fresh(endpointUrl: string, bucket = "bucket") {
  const place = { bucket, prefix: `place ${process.pid}-${++places}`, options: { endpointUrl } };
  return { source: s3Source(place), sink: s3Sink(place) };
}

contract("S3 (the double)", () => fresh(double.endpoint));
contract("S3 (the double, two keys a page, no checksums kept)", () => fresh(small.endpoint));

const { S3_TEST_ENDPOINT } = process.env;
if (S3_TEST_ENDPOINT) {
  const bucket = await bucketAt(S3_TEST_ENDPOINT);
  contract(`S3 (${S3_TEST_ENDPOINT})`, () => fresh(S3_TEST_ENDPOINT, bucket));
}
