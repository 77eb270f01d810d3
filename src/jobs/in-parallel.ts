// Several waits at once, a bounded number of them.

/** Runs `action` on all of `list`, `width` at a time, and gives the results in the order of the list. */
export async function inParallel<T, R>(
  list: readonly T[],
  width: number,
  action: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(list.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < list.length; index = next++) results[index] = await action(list[index]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
  return results;
}
