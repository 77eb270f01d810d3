// A strict double of Lambda's Runtime API: it hands out invocations as it was told to, checks every request as the service and
// its documentation would, and keeps what a runtime did that it must not do.

/** One invocation to hand out, and how the answer is taken. */
export interface Planned {
  readonly event: unknown;
  /** The body of `next` where it is to be no JSON of `event`. */
  readonly body?: string;
  /** From now, in ms; null: the header is missing. Default: 60 s. */
  readonly timeoutMs?: number | null;
  readonly traceId?: string;
  /** `next` answers so much later. */
  readonly afterMs?: number;
  /** The status that /response, and /error, get instead of 202. */
  readonly refuseResponse?: number;
  readonly refuseError?: number;
}

/** How one invocation ended. */
export interface Ended {
  readonly kind: "response" | "error";
  readonly requestId: string;
  /** Parsed. */
  readonly body: unknown;
  readonly errorType?: string;
  /** From the invocation's start, in ms. */
  readonly ms: number;
}

const LARGEST = 6 * 1024 * 1024;

export class RuntimeEmulator {
  /** What the runtime did against the rules; a test expects none. */
  readonly breaches: string[] = [];
  readonly ended: Ended[] = [];
  /** Answers that were refused, in order. */
  readonly refused: { readonly path: string; readonly status: number }[] = [];
  initError: { errorType: string; body: Record<string, unknown> } | undefined;
  /** When the first `next` came, as `performance.now()`. */
  firstNext: number | undefined;
  /** What `next` gives once all invocations are handed out; undefined: it never answers. */
  lastStatus: number | undefined;
  readonly #server: Bun.Server<undefined>;
  readonly #done = Promise.withResolvers<void>();
  #index = -1;
  #open: { readonly id: string; readonly planned: Planned; readonly started: number } | undefined;

  constructor(private readonly plan: readonly Planned[]) {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch: (request) => this.#answer(request),
    });
  }

  /** AWS_LAMBDA_RUNTIME_API */
  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  /** Resolves when the runtime asks for more than there is. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  #breach(what: string, status = 400): Response {
    this.breaches.push(what);
    return new Response(null, { status });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = /^\/2018-06-01\/runtime\/(.+)$/.exec(pathname)?.[1];
    if (path === undefined) return this.#breach(`unknown path ${pathname}`, 404);
    if (path === "invocation/next") return this.#next(request);
    if (request.method !== "POST") return this.#breach(`${request.method} ${path}`, 405);
    const body = await request.text();
    if (path === "init/error") return this.#initError(request, body);
    const [, id, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (id === undefined) return this.#breach(`unknown path ${pathname}`, 404);
    return this.#end(request, id, kind as Ended["kind"], body);
  }

  async #next(request: Request): Promise<Response> {
    this.firstNext ??= performance.now();
    if (request.method !== "GET") return this.#breach(`${request.method} next`, 405);
    if (this.#open) return this.#breach(`next before ${this.#open.id} was answered`);
    if (this.initError) return this.#breach("next after init/error");
    const planned = this.plan[++this.#index];
    if (planned === undefined) {
      this.#done.resolve();
      if (this.lastStatus !== undefined) return new Response("{}", { status: this.lastStatus });
      return new Promise(() => {});
    }
    if (planned.afterMs) await Bun.sleep(planned.afterMs);
    const id = crypto.randomUUID();
    this.#open = { id, planned, started: performance.now() };
    const { timeoutMs = 60_000, traceId } = planned;
    return new Response(planned.body ?? JSON.stringify(planned.event), {
      headers: {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": id,
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-west-2:123456789012:function:derive",
        ...(timeoutMs === null ? {} : { "Lambda-Runtime-Deadline-Ms": String(Date.now() + timeoutMs) }),
        ...(traceId === undefined ? {} : { "Lambda-Runtime-Trace-Id": traceId }),
      },
    });
  }

  #end(request: Request, id: string, kind: Ended["kind"], body: string): Response {
    if (id !== this.#open?.id) return this.#breach(`${kind} for ${id}, which is not under way`);
    const { planned, started } = this.#open;
    const refusal =
      kind === "error" ? planned.refuseError : Buffer.byteLength(body) > LARGEST ? 413 : planned.refuseResponse;
    if (refusal !== undefined) {
      this.refused.push({ path: kind, status: refusal });
      // After a response that was too large an error may follow; any other refusal ends the invocation.
      if (refusal !== 413) this.#open = undefined;
      return new Response("{}", { status: refusal });
    }
    const parsed = this.#parse(body, kind);
    const errorType = kind === "error" ? this.#checkProblem(request, parsed) : undefined;
    this.ended.push({ kind, requestId: id, body: parsed, errorType, ms: performance.now() - started });
    this.#open = undefined;
    return new Response('{"status":"OK"}', { status: 202 });
  }

  #initError(request: Request, body: string): Response {
    if (this.firstNext !== undefined) return this.#breach("init/error after next");
    const parsed = this.#parse(body, "init/error") as Record<string, unknown>;
    this.initError = { errorType: this.#checkProblem(request, parsed), body: parsed };
    this.#done.resolve();
    return new Response('{"status":"OK"}', { status: 202 });
  }

  #parse(body: string, kind: string): unknown {
    try {
      return JSON.parse(body);
    } catch {
      this.breaches.push(`the body of ${kind} is no JSON`);
      return undefined;
    }
  }

  #checkProblem(request: Request, body: unknown): string {
    const type = request.headers.get("Lambda-Runtime-Function-Error-Type") ?? "";
    if (!/^(Runtime|Function)\.[A-Z]\w*$/.test(type)) this.breaches.push(`the error type ${type}`);
    const { errorMessage, errorType, stackTrace } = (body ?? {}) as Record<string, unknown>;
    if (typeof errorMessage !== "string" || errorMessage === "") this.breaches.push("an error without errorMessage");
    if (errorType !== type) this.breaches.push(`errorType ${errorType} is not the header's ${type}`);
    if (!Array.isArray(stackTrace) || !stackTrace.every((line) => typeof line === "string"))
      this.breaches.push("an error without stackTrace");
    return type;
  }
}
