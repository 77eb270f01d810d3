// `derive compile` in the built binary: new programs, with no toolchain and in an empty environment.
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";

const original = builtBinary();
const folder = mkdtempSync(join(tmpdir(), "derive-compile-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(program: string, words: readonly string[], cwd = folder) {
  const child = Bun.spawn([program, ...words], { cwd, env: {}, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exit, stdout, stderr };
}

const hash = (...path: string[]): string =>
  new Bun.CryptoHasher("sha256").update(readFileSync(resolve(folder, ...path))).digest("hex");

mkdirSync(join(folder, "mine/lib"), { recursive: true });
writeFileSync(
  join(folder, "mine/Sessions.ts"),
  `import { defineStream, double, string } from "derive";
import { hours } from "../mine/lib/hours.ts";
import names from "./lib/names.json";
class TooLong extends Error {}
export default defineStream({
  streamName: "telemetry",
  columns: {
    clientId: string().orSkip(),
    country: string("geoCountry").default(names.unknown),
    hours: double("payload.info.subsessionLength").map((seconds) => {
      if (seconds > 86_400) throw new TooLong("a ping's own value");
      return hours(seconds);
    }),
  },
});
`,
);
writeFileSync(join(folder, "mine/lib/hours.ts"), "export const hours = (seconds: number): number => seconds / 3600;\n");
writeFileSync(join(folder, "mine/lib/names.json"), '{ "unknown": "??" }');
writeFileSync(
  join(folder, "mine/Types.ts"),
  'import { defineStream, long } from "derive";\nexport default defineStream({ streamName: "telemetry", columns: { sent: long("creationTimestamp") } });\n',
);
const ping = (clientId: string, subsessionLength: number) =>
  framePing({ type: "main", clientId, payload: { info: { subsessionLength } } }, {}, "hindsight");
writeFileSync(join(folder, "raw.heka"), Buffer.concat([ping("a", 3600), ping("b", 1e6), ping("c", 60)]));

describe("derive compile", () => {
  test("P4 a stream is built in with all its files: the same bytes and fingerprint as from its path", async () => {
    expect((await run(original, ["compile", "mine/Sessions.ts", "mine/Types.ts", "-o", "ours"])).exit).toBe(0);
    const ours = join(folder, "ours");
    mkdirSync(join(folder, "elsewhere"));
    const names = (await run(ours, ["streams", "--json"], join(folder, "elsewhere"))).stdout.trim().split("\n");
    expect(names.map((line) => JSON.parse(line).name)).toContainValues(["ExampleStream", "Sessions", "Types"]);

    const convert = (program: string, stream: string, output: string) =>
      run(program, ["convert", stream, "raw.heka", "-o", output, "--max-errors", "1"]);
    const compiled = await convert(ours, "Sessions", "out-compiled");
    expect(compiled.exit).toBe(0);
    expect(compiled.stderr).toContain("1 × TooLong"); // in its author's words, and no more of it
    expect(compiled.stderr).not.toContain("a ping's own value");
    expect((await convert(original, "mine/Sessions.ts", "out-path")).exit).toBe(0);
    const at = ["sessions/v1/part-0-00000.zstd.parquet", "sessions/v1/_SUCCESS"];
    for (const path of at) expect(hash("out-compiled", path)).toBe(hash("out-path", path));
    expect((await convert(ours, "Sessions", "out-path")).stderr).toContain("unchanged");
  });

  test("with no stream it gives the original bytes, also from a program that it made", async () => {
    for (const program of [original, "ours"]) {
      expect(await run(resolve(folder, program), ["compile", "-o", "same"])).toMatchObject({ exit: 0, stdout: "" });
      expect(hash("same")).toBe(hash(original));
    }
  });

  test("the bytes do not tell where it was compiled", async () => {
    cpSync(join(folder, "mine"), join(folder, "moved/mine"), { recursive: true });
    const inside = ["compile", "./Sessions.ts", "./Types.ts", "-o", "there"];
    expect((await run(original, inside, join(folder, "moved/mine"))).exit).toBe(0);
    expect(hash("moved/mine/there")).toBe(hash("ours"));
  });

  test.each([
    [["mine/Nope.ts"], 2, "there is no file"],
    [["ExampleStream"], 2, "it is built in already"],
    [["taken/ExampleStream.ts"], 2, "Rename the file"],
    [["mine/Types.ts", "taken/Types.ts"], 2, "two streams are called Types"],
    [["mine/lib/hours.ts"], 2, "its default export is not one"],
    [["taken/Broken.ts"], 2, "Broken.ts:1:"],
    [["mine/Types.ts", "-o", "nowhere/x"], 6, "Cannot write into"],
  ])("refuses %p", async (words, code, why) => {
    mkdirSync(join(folder, "taken"), { recursive: true });
    for (const name of ["ExampleStream", "Types"])
      cpSync(join(folder, "mine/Types.ts"), join(folder, `taken/${name}.ts`));
    writeFileSync(join(folder, "taken/Broken.ts"), "export default {{;");
    const output = words.includes("-o") ? [] : ["-o", "refused"];
    const { exit, stderr } = await run(original, ["compile", ...words, ...output]);
    expect({ exit, why: stderr.includes(why) || stderr }).toEqual({ exit: code, why: true });
  });
});
