// The connection to S3: one client for each set of options, made when the first request goes out.
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3Options } from "./ports.ts";
import { isUnreadable, UnreadableAnswer } from "./s3-fault.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** The client and the package it is from: loaded together, so that commands on folders load neither. */
export interface Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export interface Patience {
  /** A request or a body that brings no byte for so long is given up, and tried again. */
  readonly stallMs: number;
  /** How often a request is tried before it has failed; waits grow between, with jitter, up to 20 seconds. */
  readonly attempts: number;
}

export const PATIENCE: Patience = { stallMs: 30_000, attempts: 6 };

const CONNECT_MS = 5_000;

const connections = new Map<string, Promise<Connection>>();

/** The connection for these options, the same one each time: its sockets are kept open between requests. */
export function connect(options: S3Options, patience: Patience = PATIENCE): Promise<Connection> {
  const key = JSON.stringify([options, patience]);
  const connection = connections.get(key) ?? open(options, patience);
  connections.set(key, connection);
  return connection;
}

async function open(options: S3Options, patience: Patience): Promise<Connection> {
  const sdk = await import("@aws-sdk/client-s3");
  const { env } = process;
  const endpoint = options.endpointUrl;
  const ownEndpoint = endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const config: S3ClientConfig = {
    endpoint,
    profile: options.profile,
    // Stores that are not AWS rarely have a name for each bucket.
    forcePathStyle: options.pathStyle ?? ownEndpoint !== undefined,
    followRegionRedirects: true,
    maxAttempts: patience.attempts,
    retryMode: "standard",
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: patience.stallMs },
    // Uploads bring their checksums with them, and bodies are checked by s3-checksum.ts: nothing is left for the SDK to add.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Its warnings would be lines on the terminal that the program did not write.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    ...(options.noSignRequest && {
      credentials: { accessKeyId: "", secretAccessKey: "" },
      signer: { sign: async <T>(request: T) => request } as S3ClientConfig["signer"],
    }),
  };
  const client = new sdk.S3Client({ ...config, region: await regionOf(sdk, config, options) });
  askForChecksums(client);
  return { sdk, client };
}

/** As the AWS command line finds it; a bucket elsewhere answers with its region, and is asked there. */
async function regionOf(sdk: Sdk, config: S3ClientConfig, { region }: S3Options): Promise<string> {
  const named = region ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION);
  if (named) return named;
  try {
    return await new sdk.S3Client(config).config.region(); // the profile's
  } catch {
    return "us-east-1";
  }
}

// As a header and not as the parameter ChecksumMode: that one makes the SDK check bodies itself, in JavaScript.
function askForChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (call) => {
        if (commandName === "GetObjectCommand" || commandName === "HeadObjectCommand") {
          (call.request as { headers: Record<string, string> }).headers["x-amz-checksum-mode"] = "ENABLED";
        }
        return next(call);
      },
    { step: "build", name: "askForChecksums" },
  );
}

/**
 * Sends one request. The SDK tries again what fails on the way or is refused for the moment; this, too, tries again an answer
 * that came and cannot be read: cut off, or not the XML it should be, which `complete` tells.
 */
export async function send<Answer>(
  ask: () => Promise<Answer>,
  complete: (answer: Answer) => boolean = () => true,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await ask();
      if (complete(answer)) return answer;
      if (attempt === UNREADABLE_ATTEMPTS) throw new UnreadableAnswer();
    } catch (error) {
      if (attempt === UNREADABLE_ATTEMPTS || !isUnreadable(error)) throw error;
    }
    await pause(attempt);
  }
}

const UNREADABLE_ATTEMPTS = 4;

/** Waits before a further attempt: longer each time, and not as long as others that failed at the same moment. */
export function pause(attempt: number): Promise<void> {
  return Bun.sleep(Math.random() * Math.min(10_000, 100 * 2 ** attempt));
}
