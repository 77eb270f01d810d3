// The kernel's memory: everything in it is asked for here, by the kernel's own code and by its driver.

/** The smallest block, in bytes; every block begins at a multiple of it. */
const SMALLEST: usize = 64;
/** Reads and writes of whole vectors may reach so many bytes beyond a block's end. */
export const SLACK: usize = 128;

/** Blocks that were given back, by the logarithm of their size; the first word of each is the next one's place. */
const free = memory.data(33 * 4, 16);
/** Where memory begins that never was part of a block. */
let untouched: usize = (__heap_base + SMALLEST) & ~(SMALLEST - 1);

/**
 * A block of at least `bytes` bytes, which are not cleared. 0 where there is no memory left: callers pass that on, the
 * driver makes an error of it. Growing the memory makes the driver's views of it void.
 */
export function allocate(bytes: usize): usize {
  const size = blockSize(bytes);
  if (size === 0) return 0;
  const list = free + (ctz(size) << 2);
  const kept: usize = load<u32>(list);
  if (kept !== 0) {
    store<u32>(list, load<u32>(kept));
    return kept;
  }
  // Sizes are powers of two, but only what was asked for is touched: the rest of a large block costs no memory.
  const end = <u64>untouched + size + SLACK;
  const have = (<u64>memory.size()) << 16;
  if (end > have && memory.grow(<i32>((end - have + 0xffff) >> 16)) < 0) return 0;
  const block = untouched;
  untouched += size;
  return block;
}

/** Gives a block back; `bytes` as it was asked for. */
export function release(block: usize, bytes: usize): void {
  if (block === 0) return;
  const list = free + (ctz(blockSize(bytes)) << 2);
  store<u32>(block, load<u32>(list));
  store<u32>(list, <u32>block);
}

/** The power of two that holds `bytes` and the slack behind them; 0 where there is none. */
function blockSize(bytes: usize): usize {
  const needed = <u64>bytes + SLACK;
  if (needed > 0x40000000) return 0;
  return (<usize>1) << (<usize>(64 - clz<u64>(max<u64>(needed, SMALLEST) - 1)));
}
