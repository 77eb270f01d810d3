// Threads that were told to end and have not ended yet: one that is within a single long operation, a sort say, ends after it.

const ending = new Set<Promise<unknown>>();

/** Notes a thread until `ended` resolves. */
export function noteEnding(ended: Promise<unknown>): void {
  ending.add(ended);
  const forget = (): void => void ending.delete(ended);
  ended.then(forget, forget);
}

/** Waits for all of them, for so many milliseconds at most. */
export async function awaitEnding(milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled(ending), enough]);
  clearTimeout(timer);
}

/** Whether the program would wait for one when it has nothing else to do. */
export function areEnding(): boolean {
  return ending.size > 0;
}
