// What tests of S3 share: credentials that no service knows, a bucket on a server of one's own.
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

/** For servers in tests: whatever the environment has, it is not to be sent there. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: process.env.S3_TEST_ACCESS_KEY ?? "testing-access-key",
  AWS_SECRET_ACCESS_KEY: process.env.S3_TEST_SECRET_KEY ?? "testing-secret-key",
  AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
};

/** Makes a bucket of a new name. */
export async function bucketAt(endpoint: string): Promise<string> {
  const name = `derive-test-${Date.now().toString(36)}`;
  const client = new S3Client({ endpoint, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
  return name;
}
