// The connection to S3: one client for each set of options, made when the first request goes out.
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3Options } from "./ports.ts";
import { endpointOf, regionOf } from "./s3-endpoint.ts";
import { isUnreadable, UnreadableAnswer } from "./s3-fault.ts";
import { PATIENCE, type Patience, pause, SILENT_ATTEMPTS, waitBefore } from "./s3-patience.ts";
import { fetchWhereAsked, type Patterns } from "./s3-quick.ts";

type Sdk = typeof import("./s3-sdk.ts");

/** The client and the package it is from: loaded together, so that what needs neither loads neither. */
export interface Client {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** One for each set of options. */
export interface Connection {
  readonly settings: Promise<Settings>;
  readonly patterns: Patterns;
  client(): Promise<Client>;
}

export type Settings = S3ClientConfig & {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly forcePathStyle: boolean;
};

const CONNECT_MS = 5_000;

const connections = new Map<string, Connection>();

/** The connection for these options, the same one each time: its sockets are kept open between requests. */
export function connect(options: S3Options, patience: Patience = PATIENCE): Connection {
  const key = JSON.stringify([options, patience]);
  const connection = connections.get(key) ?? connectionOf(options, patience);
  connections.set(key, connection);
  return connection;
}

function connectionOf(options: S3Options, patience: Patience): Connection {
  const settings = settingsOf(options, patience);
  settings.catch(() => {}); // told to whoever waits for it
  const patterns: Patterns = new Map();
  let client: Promise<Client> | undefined;
  return {
    settings,
    patterns,
    client() {
      client ??= load(settings, patterns, patience);
      return client;
    },
  };
}

async function load(settings: Promise<Settings>, patterns: Patterns, patience: Patience): Promise<Client> {
  const sdk = await import("./s3-sdk.ts");
  const client = new sdk.S3Client(await settings);
  askForChecksums(client);
  limitBodies(client, patience);
  fetchWhereAsked(client, patterns, patience);
  return { sdk, client };
}

async function settingsOf(options: S3Options, patience: Patience): Promise<Settings> {
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  const endpoint = await endpointOf(options);
  const settings: Settings = {
    endpoint,
    region: await regionOf(options),
    profile: options.profile,
    // Stores that are not AWS rarely have a name for each bucket.
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    // A bucket elsewhere answers with its region, and is asked there.
    followRegionRedirects: true,
    maxAttempts: patience.attempts,
    retryStrategy: retries(patience),
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: patience.stallMs, throwOnRequestTimeout: true },
    // It would take a connection of its own for each larger body, and seconds where a store does not know it.
    expectContinueHeader: false,
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
  // One for all: a profile's process, say, runs once.
  const { profile, region, logger, requestHandler } = settings;
  const parentClientConfig = { profile, region, logger, requestHandler };
  return { credentials: defaultProvider({ profile, logger, parentClientConfig }), ...settings };
}

interface Attempt {
  getRetryCount(): number;
  getRetryDelay(): number;
}

/**
 * The SDK's standard way to try again (what it calls throttling and transient, with growing waits and jitter) without its
 * quota over all requests of a client: a run of hours would end for faults that each passed.
 */
function retries({ attempts, waitMs }: Patience) {
  const attempt = (count: number, delay: number): Attempt => ({
    getRetryCount: () => count,
    getRetryDelay: () => delay,
  });
  return {
    mode: "standard",
    acquireInitialRetryToken: async () => attempt(0, 0),
    async refreshRetryTokenForRetry(last: Attempt, { error, errorType, retryAfterHint }: Failure) {
      const count = last.getRetryCount() + 1;
      const most = (error as Error | undefined)?.name === "TimeoutError" ? SILENT_ATTEMPTS : attempts;
      if (count >= Math.min(most, attempts) || (errorType !== "THROTTLING" && errorType !== "TRANSIENT"))
        throw new Error("no attempt left");
      const asked = Math.min(5_000, (retryAfterHint?.getTime() ?? 0) - Date.now());
      return attempt(count, Math.max(asked, waitBefore(count, errorType === "THROTTLING" ? 5 * waitMs : waitMs)));
    },
    recordSuccess() {},
  };
}

interface Failure {
  readonly error?: unknown;
  readonly errorType: string;
  readonly retryAfterHint?: Date;
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

// While bytes wait to be sent the socket's own time-out does not run (Bun 1.4.5): a server that stops to read would hang us.
function limitBodies(client: S3Client, { stallMs, bytesPerSecond }: Patience): void {
  const { requestHandler } = client.config;
  const send = requestHandler.handle.bind(requestHandler);
  let factor = 1;
  let grown = 0;
  requestHandler.handle = async (request, options) => {
    const bytes: number = request.body?.byteLength ?? 0;
    if (bytes === 0) return send(request, options);
    const began = performance.now();
    try {
      return await send(request, { ...options, requestTimeout: stallMs + (factor * bytes * 1000) / bytesPerSecond });
    } catch (error) {
      if ((error as Error).name === "TimeoutError" && began > grown && factor < 8) {
        factor *= 2;
        grown = performance.now();
      }
      throw error;
    }
  };
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
