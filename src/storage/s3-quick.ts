// Requests for objects without the way through the SDK, which takes milliseconds of CPU time for each of the first hundreds and
// one for each of the others. They are made after a pattern (the address, the headers, who signs) and signed by the SDK's
// signer; what does not succeed at once is left to the SDK, with its repetitions, redirections and errors. A request of the
// SDK's that does shows the pattern; before the first there is one where s3-plain.ts knows how it will look.
import type { S3Client } from "@aws-sdk/client-s3";
import { type Answer, answerOf, canFetch, fetchAnswer, type ObjectRequest } from "./s3-fetch.ts";
import { type Patience, pause } from "./s3-patience.ts";

/** Headers that tell of one request, not of all. */
const OWN_HEADERS = /^(range|if-match|amz-sdk-.*)$/i;

export interface Pattern {
  /** One that succeeded, before it was signed, its path without the key. */
  readonly request: ObjectRequest;
  sign(request: ObjectRequest): Promise<ObjectRequest>;
}

/** By the names of buckets. */
export type Patterns = Map<string, Pattern>;

/** As the option `fetched` of `client.send`: the answer comes in here, and the SDK's has no body. */
export class Fetched {
  answer: Answer | undefined;
}

interface Scheme {
  readonly identity: unknown;
  readonly signer: { sign(request: ObjectRequest, identity: unknown, properties: object): Promise<ObjectRequest> };
  readonly httpAuthOption: { readonly signingProperties?: object };
}

/** Requests with the option `fetched` are answered by fetch, and show their pattern. */
export function fetchWhereAsked(client: S3Client, patterns: Patterns, patience: Patience): void {
  const { requestHandler } = client.config;
  const send = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = async (request, options) => {
    const { fetched, abortSignal } = (options ?? {}) as { fetched?: Fetched; abortSignal?: AbortSignal };
    if (fetched === undefined) return send(request, options);
    if (canFetch(request)) {
      const { response, answer } = await fetchAnswer(request, patience.stallMs, patience, abortSignal);
      const { status, headers } = response;
      if (status < 300) fetched.answer = answer;
      // What an error says is little, and the SDK's to read.
      const body = status < 300 ? new Blob() : await response.bytes();
      return { response: { statusCode: status, headers: Object.fromEntries(headers), body } };
    }
    const { response } = await send(request, options);
    if (response.statusCode >= 300) return { response };
    const { body, headers } = response;
    fetched.answer = answerOf(new Response(body, { headers }), new AbortController(), patience);
    return { response: { ...response, body: new Blob() } };
  };
  const learn: Middleware = (next, context) => async (call) => {
    const result = await next(call);
    const { commandName, s3ExpressIdentity, __smithy_context } = context;
    const { selectedHttpAuthScheme: scheme } = __smithy_context ?? {};
    const { Bucket, Key } = call.input;
    const isOne = (commandName === "GetObjectCommand" || commandName === "HeadObjectCommand") && !s3ExpressIdentity;
    if (isOne && scheme && Bucket !== undefined && Key !== undefined && result.response.statusCode < 300) {
      const key = encoded(Key);
      if (call.request.path.endsWith(`/${key}`)) patterns.set(Bucket, patternOf(call.request, key, scheme));
    }
    return result;
  };
  const place = { relation: "before", toMiddleware: "httpSigningMiddleware", name: "learnPattern" } as const;
  client.middlewareStack.addRelativeTo(learn as Parameters<typeof client.middlewareStack.addRelativeTo>[0], place);
}

interface Call {
  readonly input: { readonly Bucket?: string; readonly Key?: string };
  readonly request: ObjectRequest;
}

interface Context {
  readonly commandName?: string;
  /** Buckets of one zone have credentials and signatures of their own. */
  readonly s3ExpressIdentity?: object;
  readonly __smithy_context?: { readonly selectedHttpAuthScheme?: Scheme };
}

type Sent = { readonly response: { readonly statusCode: number } };
type Middleware = (next: (call: Call) => Promise<Sent>, context: Context) => (call: Call) => Promise<Sent>;

function patternOf(request: ObjectRequest, key: string, { identity, signer, httpAuthOption }: Scheme): Pattern {
  const { signingProperties = {} } = httpAuthOption;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.test(name)));
  return {
    request: { ...request, path: request.path.slice(0, -key.length), query: {}, headers },
    sign: (request) => signer.sign(request, identity, signingProperties),
  };
}

/** As the SDK writes keys in paths. */
function encoded(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Of a store that gives no answer the SDK is to hear soon. */
const SILENT_SHARE = 3;

/** That HEAD found nothing, as the SDK tells it. */
class NotFound extends Error {
  override name = "NotFound";
  readonly $metadata = { httpStatusCode: 404 };
}

/** Undefined where it did not succeed: then the SDK is to ask. Throws where there is no such object, as far as HEAD tells. */
export async function askQuickly(
  { request, sign }: Pattern,
  method: "GET" | "HEAD",
  key: string,
  headers: Readonly<Record<string, string | undefined>>,
  patience: Patience,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const given = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined);
  const one: ObjectRequest = {
    ...request,
    method,
    path: request.path + encoded(key),
    headers: { ...request.headers, ...Object.fromEntries(given) },
  };
  if (!canFetch(one)) return undefined;
  try {
    const { response, answer } = await fetchAnswer(await sign(one), patience.stallMs / SILENT_SHARE, patience, signal);
    if (response.status < 300 && answer.facts.ETag !== undefined) return answer;
    answer.body.discard();
    if (response.status === 404 && method === "HEAD") throw new NotFound();
    if (response.status >= 500 || response.status === 429) await pause(1);
  } catch (error) {
    if (error instanceof NotFound) throw error;
    signal?.throwIfAborted();
    await pause(1);
  }
  return undefined;
}
