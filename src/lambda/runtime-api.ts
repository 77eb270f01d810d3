// Lambda's Runtime API (2018-06-01): invocations come from it, answers go back.

import { InputError, OutputError } from "../errors.ts";
import type { Problem } from "./problem.ts";

export interface Invocation {
  readonly requestId: string;
  /** When Lambda ends the function, in ms since the epoch; Infinity where it does not say. */
  readonly deadline: number;
  /** X-Ray's header. */
  readonly traceId: string | undefined;
  /** The event, as JSON. */
  readonly body: string;
}

/** How an answer was taken. `refused` is told in `status`, and the next invocation may be asked for all the same. */
export type Taken = { readonly kind: "accepted" } | { readonly kind: "refused"; readonly status: number };

/** Lambda's own name for a response above its limit of 6 MiB. */
const TOO_LARGE = 413;

// A connection that was open while the function was frozen may be dead: each request has its own. An answer of `next` may take
// hours, and a proxy of the environment is not for it.
const OPTIONS = { timeout: false, proxy: false, keepalive: false, redirect: "error" } as const;

export class RuntimeApi {
  readonly #base: string;

  /** @param host as AWS_LAMBDA_RUNTIME_API has it, "127.0.0.1:9001" */
  constructor(host: string) {
    this.#base = `http://${host}/2018-06-01/runtime`;
  }

  /**
   * The next event, however long it takes to come.
   * @throws {InputError} for anything but an invocation: there is no way to go on.
   */
  async next(signal: AbortSignal): Promise<Invocation> {
    const cannot = "Cannot get the next invocation from the Runtime API:";
    const response = await fetch(`${this.#base}/invocation/next`, { ...OPTIONS, signal }).catch((error) => {
      throw new InputError(`${cannot} ${stateOf(error)}`);
    });
    if (response.status !== 200) throw new InputError(`${cannot} it answered ${response.status}`);
    const header = (name: string) => response.headers.get(`lambda-runtime-${name}`) || undefined;
    const requestId = header("aws-request-id");
    if (requestId === undefined) throw new InputError(`${cannot} it answered without a request id`);
    const deadline = Number(header("deadline-ms") ?? Number.POSITIVE_INFINITY);
    const body = await response.text().catch((error) => {
      throw new InputError(`${cannot} ${stateOf(error)}`);
    });
    return {
      requestId,
      deadline: Number.isNaN(deadline) ? Number.POSITIVE_INFINITY : deadline,
      traceId: header("trace-id"),
      body,
    };
  }

  /** @param body JSON */
  respond(requestId: string, body: string): Promise<Taken> {
    return this.#post(`invocation/${encodeURIComponent(requestId)}/response`, body, {});
  }

  /** Ends the invocation with an error. */
  fail(requestId: string, problem: Problem): Promise<Taken> {
    return this.#postProblem(`invocation/${encodeURIComponent(requestId)}/error`, problem);
  }

  /** Tells that there will be no first invocation; the program has to end then. */
  failInit(problem: Problem): Promise<Taken> {
    return this.#postProblem("init/error", problem);
  }

  static isTooLarge(taken: Taken): boolean {
    return taken.kind === "refused" && taken.status === TOO_LARGE;
  }

  #postProblem(path: string, problem: Problem): Promise<Taken> {
    return this.#post(path, JSON.stringify(problem), {
      "Lambda-Runtime-Function-Error-Type": problem.errorType,
    });
  }

  /** @throws {OutputError} where the Runtime API is out of order: then the program has to end, as its documentation says of 500. */
  async #post(path: string, body: string, headers: Record<string, string>): Promise<Taken> {
    const cannot = `Cannot answer the Runtime API at ${path}:`;
    const response = await fetch(`${this.#base}/${path}`, {
      ...OPTIONS,
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
    }).catch((error) => {
      throw new OutputError(`${cannot} ${stateOf(error)}`);
    });
    await response.arrayBuffer().catch(() => {}); // its words add nothing to the status
    const { status } = response;
    if (status >= 500) throw new OutputError(`${cannot} it answered ${status}`);
    return status >= 200 && status < 300 ? { kind: "accepted" } : { kind: "refused", status };
  }
}

function stateOf(error: unknown): string {
  const { code, name } = error as Error & { code?: string };
  return code ?? name;
}
