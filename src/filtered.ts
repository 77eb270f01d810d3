// What stands in a record's place where the stream leaves its message out.

/** A message the stream left out, and the cause it is counted under. Instances are reused. */
export class Filtered {
  constructor(readonly cause: string) {}
}
