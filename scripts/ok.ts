// The one gate (npm test): types, lint and format, the built binary, all tests. Each runs once, also after a failure
// of another; the exit code is 0 only if all passed. Arguments go to `bun test`.
import { builtBinary, root } from "./built.ts";

function run(...command: string[]): boolean {
  console.error(`\n$ ${command.join(" ").replaceAll(process.execPath, "bun")}`);
  return Bun.spawnSync([...command], { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).exitCode === 0;
}

const bun = process.execPath;
const failed: string[] = [];
const step = (name: string, passes: () => boolean): void => {
  try {
    if (passes()) return;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  failed.push(name);
};

step("types", () => run(bun, "check", "--no-script"));
// By its own file: node_modules/.bin/biome asks for node, which a machine with only Bun does not have.
// It takes every pipe for a terminal with colours.
const colours = process.stdout.isTTY && !process.env.NO_COLOR ? "force" : "off";
step("lint and format", () => run(bun, "node_modules/@biomejs/biome/bin/biome", "ci", `--colors=${colours}`, "."));
step("build", () => builtBinary() !== "");
step("tests", () => run(bun, "test", "--timeout=60000", ...process.argv.slice(2)));

if (failed.length > 0) console.error(`\nNot ok: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
