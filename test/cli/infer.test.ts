// `derive infer`: a stream on stdout that checks and runs as it is, and no values unless asked for.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { framePing } from "../../src/heka/ping.ts";
import { derive, inFolder, spawnDerive } from "./run.ts";

const pings = Array.from({ length: 120 }, (_, i) =>
  framePing({ type: i % 2 ? "main" : "crash", clientId: `secret-${i}`, payload: { info: { n: i } } }, {}, "heka"),
);

test("what it prints is a stream that makes a row of every message", async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, "raw"));
    writeFileSync(join(folder, "raw/few"), Buffer.concat(pings.slice(0, 3)));
    writeFileSync(join(folder, "raw/many"), Buffer.concat(pings.slice(3)));
    const { exit, stdout, stderr } = await derive(["infer", join(folder, "raw"), "-n", "110"]);
    expect(exit).toBe(0);
    expect(stderr).toContain("from 110 messages"); // the large object makes up for the small one
    expect(stdout).toContain("clientId: string(), // 100 %, text, 8 to 10 characters");
    expect(stdout).not.toContain("secret");
    writeFileSync(join(folder, "Found.ts"), stdout);
    const tried = await spawnDerive(["try", "./Found.ts", "raw", "--json"], { cwd: folder });
    expect(JSON.parse(tried.stdout)).toMatchObject({ decoded: 120, written: 120, failed: 0 });
    expect((await spawnDerive(["check", "./Found.ts"], { cwd: folder })).stdout).toBe("");
  });
});

test("--match, --below, --json, and values for those who ask", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "raw");
    writeFileSync(path, Buffer.concat(pings));
    const words = ["infer", path, "--match", 'Fields[docType] == "main"', "--below", "payload.info", "--json"];
    const found = JSON.parse((await derive(words)).stdout);
    expect(found).toEqual({
      messages: 60,
      rare: 0,
      columns: [
        {
          name: "n",
          path: ["payload", "info", "n"],
          expression: 'int("payload.info.n").optional()',
          fill: 1,
          looks: "",
        },
      ],
    });
    expect((await derive(["infer", path, "--show-values"])).stdout).toContain('"secret-0"');
    const nothing = await derive(["infer", path, "--match", "FALSE"]);
    expect([nothing.exit, nothing.stdout]).toEqual([4, ""]);
  });
});
