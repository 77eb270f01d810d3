// The life of a function: one invocation after the other, until the Runtime API or a signal ends it.

import type { Answered, EventFunction } from "./invocation.ts";
import { answerEvent } from "./invocation.ts";
import { createLog, type Log } from "./log.ts";
import type { Answer } from "./outcome.ts";
import { problemOf } from "./problem.ts";
import { type Invocation, RuntimeApi, type Taken } from "./runtime-api.ts";

export interface LoopOptions {
  /** Takes the lines of the log. */
  write(line: string): void;
  /** Resolves when all lines are out: the function is frozen between invocations. */
  flush(): Promise<void>;
  /** Called with what went wrong in each invocation. */
  ended?(answered: Answered): void;
  /** Ends the loop; an invocation under way is answered first. */
  readonly signal: AbortSignal;
}

/**
 * Serves invocations until `signal` is aborted.
 * @throws {InputError} {OutputError} where the Runtime API does not do its part, {StreamError} where the stream has used up the
 * memory: the program has to end then.
 */
export async function serveInvocations(api: RuntimeApi, func: EventFunction, options: LoopOptions): Promise<void> {
  while (!options.signal.aborted) {
    const invocation = await nextOf(api, options.signal);
    if (invocation === undefined) return;
    traceBy(invocation.traceId);
    const log = createLog(options.write, invocation.requestId);
    const answered = await answerEvent(invocation.body, invocation.deadline, func, log, options.signal).catch(
      mistake(log),
    );
    options.ended?.(answered);
    await deliver(api, invocation, answered.answer, log, options);
    // Memory that a stream has filled and that is not given back: a new process begins without it.
    if (func.pool.failure) throw func.pool.failure;
  }
}

/** A mistake of ours ends one invocation, not the function. */
function mistake(log: Log): (error: unknown) => Answered {
  return (error) => {
    const problem = problemOf(error);
    log("ERROR", problem.errorMessage, { errorType: problem.errorType });
    return { answer: { kind: "error", problem }, errors: [error as Error] };
  };
}

/** Undefined where the waiting was ended by `signal`. */
async function nextOf(api: RuntimeApi, signal: AbortSignal): Promise<Invocation | undefined> {
  try {
    return await api.next(signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Where libraries look for X-Ray's header. */
function traceBy(traceId: string | undefined): void {
  if (traceId === undefined) delete process.env._X_AMZN_TRACE_ID;
  else process.env._X_AMZN_TRACE_ID = traceId;
}

async function deliver(
  api: RuntimeApi,
  { requestId }: Invocation,
  answer: Answer,
  log: Log,
  { flush }: LoopOptions,
): Promise<void> {
  await flush();
  let taken: Taken;
  if (answer.kind === "error") taken = await api.fail(requestId, answer.problem);
  else {
    taken = await api.respond(requestId, answer.body);
    if (RuntimeApi.isTooLarge(taken)) {
      log("ERROR", `the response of ${answer.body.length} characters was refused as too large`);
      taken = await api.fail(requestId, {
        errorMessage: `Cannot answer: Lambda refused the response of ${answer.body.length} characters as too large. Deliver fewer objects in one event`,
        errorType: "Function.ResponseSizeTooLarge",
        stackTrace: [],
      });
    }
  }
  if (taken.kind === "refused") log("ERROR", `the Runtime API refused the answer with status ${taken.status}`);
  await flush();
}

/** Tells Lambda why there will be no invocation; the error is to be thrown all the same. */
export async function failInit(api: RuntimeApi, error: unknown): Promise<void> {
  await api.failInit({ ...problemOf(error), errorType: problemOf(error).errorType.replace("Function.", "Runtime.") });
}
