// All faults of one partition, for its quarantine: in memory while they are few, else on disk, in the order of the plan.

import type { Fault } from "../pipeline/books.ts";
import { TemporaryFile } from "../storage/temporary.ts";

const KEPT_IN_MEMORY = 4 * 1024 * 1024;

/** Lines of one task, as its worker sent them. */
class Lines {
  private readonly kept: { readonly bytes?: Uint8Array; readonly at: number; readonly length: number }[] = [];
  private inMemory = 0;
  private file: TemporaryFile | undefined;

  add(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.inMemory + length <= KEPT_IN_MEMORY) {
      this.inMemory += length;
      this.kept.push({ bytes, at: 0, length });
      return;
    }
    this.file ??= new TemporaryFile();
    this.kept.push({ at: this.file.append(bytes), length });
  }

  *read(): Iterable<Uint8Array> {
    for (const { bytes, at, length } of this.kept) yield bytes ?? this.file!.read(at, length);
  }

  close(): void {
    this.file?.close();
  }
}

export class KeptFaults {
  private readonly tasks = new Map<number, Lines>();
  private last = Number.POSITIVE_INFINITY;

  /** @param lines whole lines of JSON, one for each fault, in the order of the task's bytes */
  add(task: number, lines: Uint8Array): void {
    const kept = this.tasks.get(task) ?? new Lines();
    this.tasks.set(task, kept);
    kept.add(lines);
  }

  /** What came of a task does not count. */
  drop(task: number): void {
    this.tasks.get(task)?.close();
    this.tasks.delete(task);
  }

  /** A task has failed: what later ones found does not count, since it depends on how far each of them has come. */
  endAfter(task: number): void {
    this.last = task;
  }

  /** In the order of the plan. */
  *read(): Iterable<{ readonly task: number; readonly fault: Fault }> {
    const decoder = new TextDecoder();
    for (const task of [...this.tasks.keys()].sort((a, b) => a - b)) {
      if (task > this.last) return;
      for (const lines of this.tasks.get(task)!.read()) {
        for (const line of decoder.decode(lines).split("\n")) {
          if (line !== "") yield { task, fault: JSON.parse(line) };
        }
      }
    }
  }

  close(): void {
    for (const lines of this.tasks.values()) lines.close();
    this.tasks.clear();
  }
}

const encoder = new TextEncoder();

export function encodeFault(fault: Fault): Uint8Array {
  return encoder.encode(`${JSON.stringify(fault)}\n`);
}
