// Faults in raw bytes, as a reading command tells them: the first ones each, then their number.
import type { Output } from "./output.ts";
import { plural } from "./units.ts";

export interface FaultLog {
  /** `offset` and `length` in bytes of the decompressed object. */
  tell(url: string, offset: number, length: number, cause: string): void;
  /** Tells how many there were in all, if they were not all told. */
  close(): void;
}

const TOLD = 100;

export function createFaultLog({ log }: Output): FaultLog {
  let faults = 0;
  return {
    tell(url, offset, length, cause) {
      faults++;
      if (faults <= TOLD) log.warn(`${url} at offset ${offset}: ${plural(length, "byte")}: ${cause}`);
    },
    close() {
      if (faults > TOLD) log.warn(`${plural(faults, "fault")} in all; the first ${TOLD} are listed`);
    },
  };
}
