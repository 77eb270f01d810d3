// stdout and stderr of this process. Node's streams take 4 ms to load and are left to terminals: files and pipes get the same
// bytes without them.
import { fstatSync, statSync, writeSync } from "node:fs";
import type { Streams } from "./main.ts";
import type { Stream } from "./output.ts";

export function standardStreams(): Streams {
  return {
    stdout: isTerminal(1) ? quiet(process.stdout) : { write: writeStdout },
    stderr: isTerminal(2) ? quiet(process.stderr) : { write: writeStderr },
  };
}

function isTerminal(fd: 1 | 2): boolean {
  try {
    const { rdev, ...stats } = fstatSync(fd);
    if (!stats.isCharacterDevice() || rdev === statSync("/dev/null").rdev) return false;
  } catch {
    return false; // closed
  }
  return (fd === 1 ? process.stdout : process.stderr).isTTY === true;
}

/** A broken pipe is told to the one who writes; without a listener the event would end the program as well. */
function quiet(stream: NodeJS.WriteStream): Stream {
  stream.on("error", () => {});
  return stream;
}

/** Waits for a slow reader without keeping the loop. */
function writeStdout(data: string | Uint8Array, done: (error?: Error | null) => void = () => {}): void {
  Bun.write(Bun.stdout, data as Uint8Array<ArrayBuffer>).then(() => done(), done);
}

/** At once, as it tells of what may be the end. */
function writeStderr(data: string | Uint8Array, done: (error?: Error | null) => void = () => {}): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(2, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") {
        done(error as Error);
        return;
      }
      Bun.sleepSync(1); // a pipe that somebody else has made non-blocking, and that is full
    }
  }
  done();
}
