// Large buffers, and the garbage they become. Used wherever one is made of what a message holds.

const largeBytes = 1024 * 1024;
const collectAfterBytes = 64 * 1024 * 1024;
let sinceCollected = 0;

/**
 * To be called before so many bytes are taken for one buffer or text. The collector counts objects rather than what they
 * hold outside of its heap: eight messages of 60 MiB each left 560 MB to it, and 250 MB when it is asked this way (P9).
 */
export function takeLarge(bytes: number): void {
  if (bytes < largeBytes) return;
  sinceCollected += bytes;
  if (sinceCollected < collectAfterBytes) return;
  sinceCollected = bytes;
  Bun.gc(true);
}
