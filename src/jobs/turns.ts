// Row groups in the order of the plan, whichever worker is done first: those before their turn wait, in memory while they
// are few, else on disk, so that memory does not depend on how far one worker is ahead of another.
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import { TemporaryFile } from "../storage/temporary.ts";

const KEPT_IN_MEMORY = 4 * 1024 * 1024;

interface Waiting {
  readonly group: EncodedRowGroup;
  /** Where its bytes lie in the file, if not in `group`. */
  readonly spilled?: { readonly offset: number; readonly length: number };
}

/** The row groups of one task that came before the task's turn. */
export class WaitingGroups {
  private readonly groups: Waiting[] = [];
  private inMemory = 0;
  private file: TemporaryFile | undefined;

  add(group: EncodedRowGroup): void {
    const length = group.bytes.byteLength;
    if (this.inMemory + length <= KEPT_IN_MEMORY) {
      this.inMemory += length;
      this.groups.push({ group });
      return;
    }
    this.file ??= new TemporaryFile();
    const offset = this.file.append(group.bytes);
    this.groups.push({ group: { ...group, bytes: new Uint8Array(0) }, spilled: { offset, length } });
  }

  /** The groups in the order they were added. */
  *take(): Iterable<EncodedRowGroup> {
    for (const { group, spilled } of this.groups.splice(0)) {
      yield spilled && this.file ? { ...group, bytes: this.file.read(spilled.offset, spilled.length) } : group;
    }
    this.close();
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
    this.groups.length = this.inMemory = 0;
  }
}
