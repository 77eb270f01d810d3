// Requests for objects, by Bun's fetch: it reads on a thread of its own and gives a body in one piece, for a third of the CPU
// time that the SDK's connections take.
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Patience } from "./s3-patience.ts";

/** What is read of an answer's headers, as the SDK calls it. */
export type Facts = Pick<
  HeadObjectCommandOutput,
  | "ETag"
  | "ContentLength"
  | "ContentRange"
  | "ChecksumCRC32"
  | "ChecksumCRC32C"
  | "ChecksumCRC64NVME"
  | "ChecksumSHA1"
  | "ChecksumSHA256"
  | "ChecksumType"
  | "ServerSideEncryption"
  | "SSECustomerAlgorithm"
>;

/** S3's ETags come with or without quotes; ours have none. */
export function unquoted(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}

/** A body on its way, to be taken once, in one of these ways. */
export interface AnswerBody {
  /** All `length` bytes. Throws where there are not as many, and where they take far too long. */
  whole(length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** What comes, as it comes. Throws where it breaks off, and where no byte comes for too long. */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Ends it, and its connection with it: one that nobody reads would keep the program from ending. */
  discard(): void;
}

/** What came of a request: what it says of the object, and bytes of it. */
export interface Answer {
  readonly facts: Facts;
  readonly body: AnswerBody;
}

/** A request as the SDK makes it. */
export interface ObjectRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** As the SDK's connections: by no proxy of the environment, and the bytes that are stored; no variable makes it tell them (P12). */
const OPTIONS = { timeout: false, proxy: false, decompress: false, redirect: "manual", verbose: false } as const;

/** Whether fetch would ask for this path: it resolves "." and "..", which are names in keys. */
export function canFetch(request: ObjectRequest): boolean {
  return new URL(urlOf(request)).pathname === request.path;
}

/** Throws a TimeoutError where no answer comes for so long, what fetch throws, and an AbortError. */
export async function fetchAnswer(request: ObjectRequest, silentMs: number, patience: Patience, signal?: AbortSignal) {
  const { method, headers } = request;
  const ending = new AbortController();
  const abort = (): void => ending.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const late = setTimeout(() => ending.abort(new DOMException("no answer", "TimeoutError")), silentMs);
  try {
    const response = await fetch(urlOf(request), { ...OPTIONS, method, headers, signal: ending.signal });
    return { response, answer: answerOf(response, ending, patience) };
  } finally {
    clearTimeout(late);
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: ObjectRequest): string {
  const words = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(`${value ?? ""}`)}`,
  );
  const host = port === undefined ? hostname : `${hostname}:${port}`;
  return `${protocol}//${host}${path}${words.length > 0 ? "?" : ""}${words.join("&")}`;
}

export function answerOf(response: Response, ending: AbortController, patience: Patience): Answer {
  return { facts: factsOf(response.headers), body: bodyOf(response, ending, patience) };
}

function factsOf(headers: Headers): Facts {
  const told = (name: string): string | undefined => headers.get(name) ?? undefined;
  const length = told("content-length");
  return {
    ETag: told("etag"),
    ContentLength: length === undefined ? undefined : Number(length),
    ContentRange: told("content-range"),
    ChecksumCRC32: told("x-amz-checksum-crc32"),
    ChecksumCRC32C: told("x-amz-checksum-crc32c"),
    ChecksumCRC64NVME: told("x-amz-checksum-crc64nvme"),
    ChecksumSHA1: told("x-amz-checksum-sha1"),
    ChecksumSHA256: told("x-amz-checksum-sha256"),
    ChecksumType: told("x-amz-checksum-type") as Facts["ChecksumType"],
    ServerSideEncryption: told("x-amz-server-side-encryption") as Facts["ServerSideEncryption"],
    SSECustomerAlgorithm: told("x-amz-server-side-encryption-customer-algorithm"),
  };
}

function bodyOf(response: Response, ending: AbortController, { stallMs, bytesPerSecond }: Patience): AnswerBody {
  return {
    async whole(length) {
      const late = setTimeout(() => ending.abort(), stallMs + (1000 * length) / bytesPerSecond);
      try {
        const bytes = await response.bytes();
        if (bytes.length !== length) throw new Error(`${bytes.length} bytes in place of ${length}`);
        return bytes as Uint8Array<ArrayBuffer>;
      } finally {
        clearTimeout(late);
      }
    },
    async *chunks() {
      const reader = response.body?.getReader();
      try {
        while (reader !== undefined) {
          const late = setTimeout(() => ending.abort(), stallMs);
          const { done, value } = await reader.read().finally(() => clearTimeout(late));
          if (done) break;
          yield value as Uint8Array<ArrayBuffer>;
        }
      } finally {
        ending.abort();
      }
    },
    discard: () => ending.abort(),
  };
}
