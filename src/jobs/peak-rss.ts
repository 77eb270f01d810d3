// How much memory the program has taken at most, for reports and metrics.
import { readFileSync } from "node:fs";

/** Bytes. Linux counts into `maxRSS` what the program that started this one had taken, so its own status comes first. */
export function peakRss(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // no Linux
  }
  return process.resourceUsage().maxRSS * 1024;
}
