// Faults on their way from a worker to the main thread.
import type { Fault } from "./books.ts";

const BYTES_AT_A_TIME = 64 * 1024;

/** Lines of JSON, a fault each, many at a time. */
export class FaultLines {
  private text = "";

  constructor(private readonly send: (lines: Uint8Array<ArrayBuffer>) => void) {}

  add(fault: Fault): void {
    this.text += `${JSON.stringify(fault)}\n`;
    if (this.text.length >= BYTES_AT_A_TIME) this.flush();
  }

  flush(): void {
    if (this.text !== "") this.send(new TextEncoder().encode(this.text));
    this.text = "";
  }
}
