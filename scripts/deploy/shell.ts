// The programs a deployment runs, one after the other; a dry run prints them instead.
import { UsageError } from "../../src/errors.ts";
import { root } from "../built.ts";

export type Command = readonly string[];

export interface Shell {
  readonly dry: boolean;
  /** Throws where it ends with another code than 0. */
  run(does: string, command: Command, next?: Command): Promise<void>;
  /** What it prints on stdout; a dry run has `standIn` for it. */
  ask(does: string, command: Command, standIn: string): Promise<string>;
  /** Whether it ends with 0; in a dry run it does not. */
  succeeds(does: string, command: Command): Promise<boolean>;
}

export const dryShell: Shell = {
  dry: true,
  async run(does, command, next) {
    tell(does, command, next);
  },
  async ask(does, command, standIn) {
    tell(does, command);
    return standIn;
  },
  async succeeds(does, command) {
    tell(does, command);
    return false;
  },
};

export const liveShell: Shell = {
  dry: false,
  async run(does, command, next) {
    tell(does, command, next);
    const first = start(command, next ? "pipe" : "inherit", "inherit");
    const last = next ? start(next, "inherit", "inherit", first.stdout as ReadableStream) : first;
    for (const [done, what] of [
      [first, command],
      [last, next ?? command],
    ] as const) {
      if ((await done.exited) !== 0) throw failure(what, done.exitCode);
    }
  },
  async ask(does, command) {
    tell(does, command);
    const asked = start(command, "pipe", "inherit");
    const printed = await new Response(asked.stdout as ReadableStream).text();
    if ((await asked.exited) !== 0) throw failure(command, asked.exitCode);
    return printed.trim();
  },
  async succeeds(does, command) {
    tell(does, command);
    return (await start(command, "ignore", "ignore").exited) === 0;
  },
};

function start(
  command: Command,
  stdout: "pipe" | "inherit" | "ignore",
  stderr: "inherit" | "ignore",
  stdin: ReadableStream | "ignore" = "ignore",
) {
  // Lambda takes no image with an attestation beside it, which newer versions of docker add.
  const env = { ...process.env, AWS_PAGER: "", BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };
  return Bun.spawn([...command], { cwd: root, env, stdin, stdout, stderr });
}

function failure(command: Command, code: number | null): Error {
  return new Error(
    `Cannot go on: ${written(command.slice(0, 3))} … ended with exit code ${code}; what it said is above`,
  );
}

function tell(does: string, command: Command, next?: Command): void {
  console.log(`# ${does}\n${written(command)}${next ? ` | ${written(next)}` : ""}\n`);
}

/** As one would type it; of Bun's path the name is enough. */
export function written(command: Command): string {
  return command.map((word) => (word === process.execPath ? "bun" : quoted(word))).join(" ");
}

function quoted(word: string): string {
  return /^(?:[\w@%+=:,./-]|\$(?:REGISTRY|NAME|TAG|QUEUE_ARN)\b)+$/.test(word)
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What builds images here: buildah or docker, by its name. */
export function imageTool(): string | undefined {
  return ["buildah", "docker"].find((name) => Bun.which(name) !== null);
}

/** @throws {UsageError} naming what is not installed, and what to install. */
export function requireTools(withImage: boolean): void {
  if (Bun.which("aws") === null) {
    throw new UsageError(
      "Cannot deploy: the AWS command line (aws) is not installed. Install it from Debian's awscli, PyPI's awscli or AWS",
    );
  }
  if (withImage && imageTool() === undefined) {
    throw new UsageError(
      "Cannot build the image: neither buildah nor docker is installed. Install one (Debian: buildah), or name an image that is pushed already with --image",
    );
  }
}
