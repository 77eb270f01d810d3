// What became of the objects of an event, and how the event is answered for it.

import type { EventResult } from "../jobs/event.ts";
import { errorText } from "../told.ts";
import type { Entry, NamedObject } from "./entries.ts";
import type { Delivery } from "./event.ts";
import { isPermanent, type Problem, problemOf, shorten } from "./problem.ts";

/** One object, derived or not. */
export type Outcome = { readonly object: NamedObject } & (
  | {
      readonly result: EventResult;
      /** Of its part, where there is one. */
      readonly partUrl: string | undefined;
      readonly error?: undefined;
    }
  | { readonly error: Error; readonly result?: undefined; readonly partUrl?: undefined }
);

/** One entry of the event; without errors it is done. */
export interface EntryOutcome {
  readonly entry: Entry;
  readonly outcomes: readonly Outcome[];
  readonly errors: readonly Error[];
}

/** What goes back to the Runtime API. */
export type Answer =
  | { readonly kind: "response"; readonly body: string }
  | { readonly kind: "error"; readonly problem: Problem };

export function answerOf({ answering }: Pick<Delivery, "answering">, entries: readonly EntryOutcome[]): Answer {
  const failed = entries.filter(({ errors }) => errors.length > 0);
  if (answering.kind === "messages") {
    return respond({ batchItemFailures: failed.map(({ entry }) => ({ itemIdentifier: entry.id })) });
  }
  if (answering.kind === "tasks") {
    const { invocationSchemaVersion, invocationId } = answering;
    const results = entries.map(taskResult);
    return respond({ invocationSchemaVersion, treatMissingKeysAs: "PermanentFailure", invocationId, results });
  }
  if (failed.length > 0) return { kind: "error", problem: problemOfAll(entries) };
  const outcomes = entries.flatMap((entry) => entry.outcomes);
  return respond({ objects: outcomes.length, results: outcomes.slice(0, RESULTS_TOLD).map(told) });
}

/** Step Functions takes 256 KiB at most. */
const RESULTS_TOLD = 100;

function respond(value: unknown): Answer {
  return { kind: "response", body: JSON.stringify(value) };
}

function told({ object: { bucket, key }, result, partUrl }: Outcome) {
  return { object: `s3://${bucket}/${key}`, state: result?.state, part: partUrl, rows: result?.part?.rows };
}

/** All errors as one: of the first one's type, with its text, and how many others there are. */
function problemOfAll(entries: readonly EntryOutcome[]): Problem {
  const errors = entries.flatMap((entry) => entry.errors);
  const first = problemOf(errors[0]);
  if (errors.length === 1) return first;
  const others = `${errors.length - 1} more ${errors.length === 2 ? "error" : "errors"} of this event: see the log`;
  return { ...first, errorMessage: `${first.errorMessage} (and ${others})` };
}

/** A line in the completion report of a job. */
const LONGEST_RESULT = 1000;

function taskResult({ entry, outcomes, errors }: EntryOutcome) {
  const { resultCode, text } = taskEnd(entry, outcomes, errors);
  return { taskId: entry.id, resultCode, resultString: shorten(text.replaceAll(/\s+/g, " "), LONGEST_RESULT) };
}

function taskEnd(entry: Entry, outcomes: readonly Outcome[], errors: readonly Error[]) {
  const [error] = errors;
  if (error)
    return { resultCode: isPermanent(error) ? "PermanentFailure" : "TemporaryFailure", text: errorText(error) };
  const gone = outcomes.find(({ result }) => result?.state === "gone");
  // A manifest that names what is not there is wrong: an event that comes late is not.
  if (gone)
    return { resultCode: "PermanentFailure", text: `there is no object s3://${gone.object.bucket}/${gone.object.key}` };
  return { resultCode: "Succeeded", text: [...outcomes.map(sentence), ...entry.skipped].join("; ") };
}

/** "written s3://…/event-….parquet: 7 rows from s3://…" */
export function sentence({ object, result, error, partUrl }: Outcome): string {
  const from = `s3://${object.bucket}/${object.key}`;
  if (error) return errorText(error);
  if (result.state === "gone") return `${from} is gone: there is nothing to read`;
  if (result.state === "covered") return `${from} is in a partition that a batch run has committed`;
  if (result.state === "left out") return `${from} is left out: the stream's dimensions or --only do not ask for it`;
  const rows = result.part?.rows ?? 0;
  return `${result.state} ${partUrl}: ${rows} ${rows === 1 ? "row" : "rows"} from ${from}`;
}
