// Where S3 is asked: the endpoint and the region of a place, found as the AWS command line finds them.
import type { S3Options } from "./ports.ts";

type Profile = Readonly<Record<string, string | undefined>>;

/**
 * The server to ask in place of AWS, undefined for AWS. The SDK would look up the profile of AWS_PROFILE alone.
 * What is set for S3 comes before what is set for all services, variables before the profile.
 */
export async function endpointOf({ endpointUrl, profile }: S3Options): Promise<string | undefined> {
  if (endpointUrl) return endpointUrl;
  const { env } = process;
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === "true") return undefined;
  return env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || (await ofProfile(profile, endpointIn));
}

export async function regionOf({ region, profile }: S3Options): Promise<string> {
  const named = region ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION);
  return named ?? (await ofProfile(profile, (section) => section.region)) ?? "us-east-1";
}

/** Settings of the SDK by which a bucket is reached in another way than its name, region and endpoint say. */
const TURNS = ["use_dualstack_endpoint", "use_fips_endpoint", "auth_scheme_preference", "sigv4a_signing_region_set"];

/** Whether requests go where the endpoint, or else the region and the bucket's name, say at once. */
export async function isPlain({ profile }: S3Options): Promise<boolean> {
  if (TURNS.some((name) => process.env[`AWS_${name.toUpperCase()}`])) return false;
  return !(await ofProfile(profile, (section) => TURNS.find((name) => section[name])));
}

/** Of `endpoint_url` in a profile, and of `s3 = endpoint_url` in the section that its `services` names. */
function endpointIn(section: Profile, config: Readonly<Record<string, Profile>> = {}): string | undefined {
  const services = section.services === undefined ? undefined : config[`services.${section.services}`];
  return services?.["s3.endpoint_url"] ?? section.endpoint_url;
}

async function ofProfile(
  profile: string | undefined,
  find: (section: Profile, config?: Readonly<Record<string, Profile>>) => string | undefined,
): Promise<string | undefined> {
  const { loadConfig } = await import("@smithy/core/config");
  try {
    const found = loadConfig<string>(
      { environmentVariableSelector: () => undefined, configFileSelector: find, default: "" },
      { profile },
    );
    return (await found()) || undefined;
  } catch {
    return undefined; // files that cannot be read are told when credentials are looked for
  }
}
