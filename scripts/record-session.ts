// Records a terminal session with the built binary into the README, as text: the commands are run for real, in a fresh folder
// that holds ./derive and the sample day. bun scripts/record-session.ts
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary, root } from "./built.ts";
import { ensureSampleDay } from "./sample-day.ts";

const RAW = "raw/telemetry-2/20151028/telemetry/4";
const COMMANDS = [
  "derive new Hours",
  `derive try Hours ${RAW}/main --number 4`,
  "derive check && derive test",
  "derive batch Hours --from 20151028 --metadata raw --input raw --output derived --only docType=main",
  "derive show derived --stats",
  "derive why derived/hours/v1/submission_date_s3=20151028/part-0-00000.zstd.parquet:7 --input raw",
  "derive verify derived --raw --input raw",
];

const day = join(root, "sample/raw");
ensureSampleDay(day);
const folder = mkdtempSync(join(tmpdir(), "derive-session-"));
const lines: string[] = [];
try {
  cpSync(day, join(folder, "raw"), { recursive: true });
  symlinkSync(builtBinary(), join(folder, "derive"));
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, NO_COLOR: "1", COLUMNS: "100", LANG: "C.UTF-8" };
  for (const command of COMMANDS) {
    const { stdout, exitCode } = Bun.spawnSync(["sh", "-c", `exec 2>&1; ${command}`], {
      cwd: folder,
      env,
      stdin: null,
    });
    if (exitCode !== 0) throw new Error(`Cannot record the session: "${command}" ended with ${exitCode}\n${stdout}`);
    const shown = stdout.toString().replaceAll(folder, "/home/me/telemetry").trimEnd().split("\n").map(shortened);
    lines.push(`$ ${command}`, ...head(shown), "");
  }
} finally {
  rmSync(folder, { recursive: true });
}

const [before, after] = ["<!-- recorded by scripts/record-session.ts -->\n", "<!-- end of the session -->"];
const readme = join(root, "README.md");
const text = readFileSync(readme, "utf8");
const [start, end] = [text.indexOf(before), text.indexOf(after)];
if (start < 0 || end < start) throw new Error("Cannot find the place of the session in README.md");
const session = `\n\`\`\`text\n${lines.join("\n").trimEnd()}\n\`\`\`\n\n`;
writeFileSync(readme, text.slice(0, start + before.length) + session + text.slice(end));

/** The session is to be read, not to be complete: long lines and long outputs are cut, and say so. */
function shortened(line: string): string {
  return line.length > 140 ? `${line.slice(0, 139)}…` : line;
}

function head(shown: readonly string[]): string[] {
  return shown.length > 14 ? [...shown.slice(0, 12), `… (${shown.length - 12} lines more)`] : [...shown];
}
