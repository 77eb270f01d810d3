// `derive try --watch`: again after each save, also of a file that is imported or broken for a moment.
import { expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { framePing } from "../../src/heka/ping.ts";
import { derive, entry, inFolder } from "./run.ts";

test("a saved stream, a saved import and a mended mistake are tried; Ctrl-C ends it", async () => {
  await inFolder(async (folder) => {
    const stream = (path: string) =>
      `import { defineStream, string } from "derive";\nimport { otherwise } from "./lib/names.ts";\nexport default defineStream({ streamName: "t", columns: { id: string("${path}").default(otherwise) } });\n`;
    mkdirSync(join(folder, "lib"));
    const save = (name: string, text: string) => {
      writeFileSync(join(folder, `${name}~`), text);
      renameSync(join(folder, `${name}~`), join(folder, name)); // as many editors do
    };
    writeFileSync(join(folder, "raw"), framePing({ clientId: "c1", other: "c2" }, {}, "heka"));
    save("lib/names.ts", 'export const otherwise = "first";\n');
    save("S.ts", stream("clientId"));

    const child = Bun.spawn([...entry, "try", "./S.ts", "raw", "--watch"], {
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const told = { stdout: "", stderr: "" };
    const read = async (name: "stdout" | "stderr") => {
      for await (const chunk of child[name].pipeThrough(new TextDecoderStream() as never)) told[name] += chunk;
    };
    const reading = [read("stdout"), read("stderr")];
    const until = async (holds: () => boolean) => {
      for (let waited = 0; !holds() && waited < 30_000; waited += 20) await Bun.sleep(20);
      expect({ ...told, holds: holds() }).toMatchObject({ holds: true });
    };
    const watching = () => told.stderr.split("save it to try again").length - 1;

    await until(() => told.stdout.includes("c1") && watching() === 1);
    save("S.ts", stream("other"));
    await until(() => told.stdout.includes("c2") && watching() === 2);
    save("S.ts", "export default {{");
    await until(() => told.stderr.includes("S.ts:1:") && watching() === 3);
    save("S.ts", stream("absent"));
    await until(() => told.stdout.includes("first") && watching() === 4);
    save("lib/names.ts", 'export const otherwise = "second";\n');
    await until(() => told.stdout.includes("second") && watching() === 5);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await Promise.all(reading);
  });
});

test("a built-in stream has no file to watch", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "raw"), framePing({}, {}, "heka"));
    const { exit, stderr } = await derive(["try", "ExampleStream", join(folder, "raw"), "--watch"]);
    expect([exit, stderr.includes("built in")]).toEqual([2, true]);
  });
});
