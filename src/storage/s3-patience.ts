// How long a store is waited for, and how often it is asked.

export interface Patience {
  /** A request or a body that brings no byte for so long is given up, and tried again. */
  readonly stallMs: number;
  /** A request is given time for its body besides, at this rate; on a line that proves slower up to eight times as much. */
  readonly bytesPerSecond: number;
  /** How often a request is tried before it has failed; one that nobody answers, at most `SILENT_ATTEMPTS` times. */
  readonly attempts: number;
  /** The wait before the second attempt, at most; later ones grow, up to 20 seconds. */
  readonly waitMs: number;
}

export const PATIENCE: Patience = { stallMs: 15_000, bytesPerSecond: 512 << 10, attempts: 6, waitMs: 100 };

/** A store that stays silent has failed within a minute, whatever it is asked. */
export const SILENT_ATTEMPTS = 4;

/** Milliseconds: longer each time, and not as long as others wait that failed at the same moment. */
export function waitBefore(attempt: number, base: number): number {
  return Math.random() * Math.min(20_000, base * 2 ** (attempt - 1));
}

/** Waits before attempt `attempt` + 1. */
export function pause(attempt: number): Promise<void> {
  return Bun.sleep(waitBefore(attempt, PATIENCE.waitMs));
}
