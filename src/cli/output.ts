// Where a command's words go: data on stdout, everything meant for people on stderr.
import { type ConsolaInstance, createConsola, type LogObject } from "consola/core";
import { OutputError } from "../errors.ts";

/** The reader of stdout went away (`| head`): nothing is wrong, and nothing more is to be written. */
export class PipeClosed extends Error {
  override name = "PipeClosed";
}

export interface Output {
  /** Data for stdout. Resolves when more is welcome; bytes may be reused then. Throws PipeClosed, OutputError. */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when all data is out. */
  flush(): Promise<void>;
  /** Words for people: error, warn, info (a plain line), success, debug (with -v). Not seen with -q, errors excepted. */
  readonly log: ConsolaInstance;
  /** Replaces the line at the bottom of the terminal; "" clears it. Only for `isTerminal`. */
  status(line: string): void;
  /** Whether stderr is a terminal, where a line may be redrawn. */
  readonly isTerminal: boolean;
  /** Characters in a line of stdout; undefined where lines may be of any length. */
  readonly width: number | undefined;
  /** Colours for stdout and for stderr: they do nothing where none are wanted. */
  readonly paint: Paint;
  readonly paintError: Paint;
}

export type Paint = (style: keyof typeof styles, text: string) => string;

const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** The two ends that tests replace. `write` calls back with an error or nothing, as Node's streams do. */
export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
}

/** Small writes are collected up to this many characters or bytes. */
const CHUNK = 64 * 1024;
const LARGE = 1024 * 1024;

export interface OutputOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export function createOutput(stdout: Stream, stderr: Stream, options: OutputOptions): Output {
  let pending = "";
  // Everything that was sent, in order; once a write failed, all later ones fail with it.
  let sent: Promise<void> = Promise.resolve();
  const send = (data: string | Uint8Array): Promise<void> => {
    sent = sent.then(() => writeAll(stdout, data));
    return sent;
  };
  const flush = (): Promise<void> => {
    if (pending === "") return sent;
    const text = pending;
    pending = "";
    return send(text);
  };
  const write = async (data: string | Uint8Array): Promise<void> => {
    if (typeof data !== "string") {
      flush();
      return send(data);
    }
    // When the command comes to wait for something, what it has said so far goes out.
    if (pending === "") setImmediate(() => flush().catch(() => {}));
    pending += data;
    if (pending.length >= CHUNK) await flush();
  };
  const paintError = painter(stderr);
  const isTerminal = stderr.isTTY === true && !options.quiet;
  let status = "";
  const line = (text: string): void => {
    const clear = status === "" ? "" : CLEAR_LINE;
    stderr.write(`${clear}${text}\n${status}`);
  };
  return {
    write,
    flush,
    log: createConsola({
      level: options.quiet ? 0 : options.verbose ? 4 : 3,
      throttle: 0, // every warning is one fact: none is folded into another
      reporters: [{ log: (entry) => line(humanText(entry, paintError)) }],
    }),
    status(text) {
      if (!isTerminal || text === status) return;
      stderr.write((status === "" ? "" : CLEAR_LINE) + text);
      status = text;
    },
    isTerminal,
    width: widthOf(stdout),
    paint: painter(stdout),
    paintError,
  };
}

const CLEAR_LINE = "\r\x1b[2K";

function humanText({ type, args }: LogObject, paint: Paint): string {
  const text = args.join(" ");
  if (type === "error" || type === "fatal") return `${paint("red", "error:")} ${text}`;
  if (type === "warn") return `${paint("yellow", "warning:")} ${text}`;
  if (type === "success") return `${paint("green", "✓")} ${text}`;
  return type === "debug" || type === "verbose" ? paint("dim", text) : text;
}

async function writeAll(stream: Stream, data: string | Uint8Array): Promise<void> {
  const error = await new Promise<(Error & { code?: string }) | undefined | null>((done) => stream.write(data, done));
  // What a file took at once is let go of only when the loop turns.
  if (data.length >= LARGE) await new Promise((resume) => setImmediate(resume));
  if (!error) return;
  if (error.code === "EPIPE") throw new PipeClosed();
  throw new OutputError(
    `Cannot write to stdout: ${error.code ?? error.name}. Free some space, or write to another place`,
  );
}

/** FORCE_COLOR, NO_COLOR and TERM=dumb as everywhere; else colours are for terminals. */
function painter(stream: Stream): Paint {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  const wanted = FORCE_COLOR ? FORCE_COLOR !== "0" : !NO_COLOR && TERM !== "dumb" && stream.isTTY === true;
  return (style, text) => (wanted ? `\x1b[${styles[style][0]}m${text}\x1b[${styles[style][1]}m` : text);
}

/** COLUMNS where it is exported, else the terminal's own width. A file or pipe takes lines of any length. */
function widthOf(stream: Stream): number | undefined {
  const columns = Number(process.env.COLUMNS) || (stream.isTTY ? (stream.columns ?? 80) : 0);
  return columns > 0 ? Math.max(40, columns) : undefined;
}
