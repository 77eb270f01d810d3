// How far a long command is: a line that is redrawn on a terminal, a line every 30 seconds elsewhere.
import type { Output } from "./output.ts";
import { bytesText, countText, durationText } from "./units.ts";

export interface Progress {
  add(storedBytes: number, messages: number, rows: number): void;
  stop(): void;
}

const REDRAW_MS = 100;
const HEARTBEAT_MS = 30_000;

/** Begins to tell of work on `totalBytes` of stored input. */
export function startProgress(output: Output, totalBytes: number): Progress {
  const started = performance.now();
  const done = { storedBytes: 0, messages: 0, rows: 0 };
  const line = (): string => {
    const seconds = (performance.now() - started) / 1000;
    const rate = done.storedBytes / seconds;
    const share = totalBytes > 0 ? Math.min(1, done.storedBytes / totalBytes) : 1;
    const left = rate > 0 ? durationText((totalBytes - done.storedBytes) / rate) : "?";
    return [
      `${Math.floor(share * 100)} % of ${bytesText(totalBytes)}`,
      `${(rate / 1e6).toFixed(0)} MB/s`,
      `${countText(done.messages)} messages`,
      `${countText(done.rows)} rows`,
      `${left} left`,
    ].join(" · ");
  };
  const timer = output.isTerminal
    ? setInterval(() => output.status(line()), REDRAW_MS)
    : setInterval(() => output.log.info(line()), HEARTBEAT_MS);
  timer.unref();
  return {
    add(storedBytes, messages, rows) {
      done.storedBytes += storedBytes;
      done.messages += messages;
      done.rows += rows;
    },
    stop() {
      clearInterval(timer);
      output.status("");
    },
  };
}
