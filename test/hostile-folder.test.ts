// P13: the working directory is data. Whatever lies in it beside derive.toml and the streams that are named, the built
// binary does what it does in a clean folder, and executes none of it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { builtBinary, root } from "../scripts/built.ts";
import { framePing } from "../src/heka/ping.ts";
import { derive } from "./binary/derive.ts";

/** Its stream's folder and sub-folder import what hostile files would like to stand for. */
const STREAM = `import { defineStream, string } from "derive";
import { pathOf } from "./lib/path";
import { derivePing } from "derive/test";
import names from "./lib/names.json";
export default defineStream({
  streamName: "telemetry",
  columns: { clientId: string(pathOf(names.id)), tested: string().from(() => typeof derivePing) },
});
`;

const CLEAN: Record<string, string | Uint8Array> = {
  "My.ts": STREAM,
  "lib/path.ts":
    'import { defineStream } from "derive";\nexport const pathOf = (id: string) => (defineStream ? id : "");\n',
  "lib/names.json": '{ "id": "clientId" }',
  "raw/sources.json": '{ "telemetry": { "prefix": "t", "bucket": "b" } }',
  "raw/t/schema.json": '{ "version": 1, "dimensions": [{ "field_name": "submissionDate", "allowed_values": "*" }] }',
  "raw/t/20151028/a": framePing({ id: "1", clientId: "c" }, {}, "heka"),
};

/** Leaves a trace when it is executed, in the folder it lies in. */
const evil = (name: string) =>
  `const fs = require("node:fs"); fs.appendFileSync(${JSON.stringify("TRACE")}, ${JSON.stringify(`${name}\n`)});
module.exports = { defineStream: () => { throw new Error("evil") }, string: () => 1 };`;
const evilModule = (name: string) => `import { appendFileSync } from "node:fs";
appendFileSync("TRACE", ${JSON.stringify(`${name}\n`)});
export const defineStream = () => { throw new Error("evil"); };
export const string = () => 1;
export const derivePing = 1;
export default {};`;

const packages = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies);

const variables = [
  "DERIVE_OUTPUT=evil-output",
  "DERIVE_METADATA=evil-metadata",
  "DERIVE_CODEC=evil",
  "DERIVE_CONFIG=evil.toml",
  "AWS_ACCESS_KEY_ID=evil",
  "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9/evil",
  "BUN_OPTIONS=--preload=./preload.ts",
  "BUN_INSPECT_PRELOAD=./preload.ts",
  "NODE_OPTIONS=--require=./preload.cjs",
  "BUN_BE_BUN=1",
  "TZ=Asia/Kathmandu",
  "FORCE_COLOR=1",
].join("\n");

const HOSTILE: Record<string, string> = {
  ".env": variables,
  ".env.local": variables,
  ".env.production": variables,
  ".env.development": variables,
  ".env.production.local": variables,
  "bunfig.toml": `preload = ["./preload.ts"]
telemetry = true
jsx = "react"
[run]
preload = ["./preload.ts"]
bun = true
[test]
preload = ["./preload.ts"]
[install]
auto = "force"
registry = "http://127.0.0.1:9/"
[loader]
".json" = "text"
[define]
"names.id" = "'evil'"
[serve.static]
plugins = ["./preload.ts"]
`,
  "preload.ts": evilModule("preload.ts"),
  "preload.cjs": evil("preload.cjs"),
  "package.json": JSON.stringify({
    name: "derive",
    type: "commonjs",
    main: "./self.js",
    module: "./self.js",
    exports: { ".": "./self.js", "./test": "./self.js" },
    imports: { "#derive": "./self.js", derive: "./self.js" },
    browser: { derive: "./self.js", "./lib/path": "./self.js" },
    bin: { derive: "./self.js" },
    workspaces: ["node_modules/*"],
    scripts: Object.fromEntries(
      ["preinstall", "install", "postinstall", "prepare", "check", "start", "test", "derive", "batch"].map((name) => [
        name,
        `echo ${name} >> TRACE`,
      ]),
    ),
    dependencies: { derive: "file:./node_modules/derive" },
    trustedDependencies: ["derive"],
  }),
  "self.js": evil("self.js"),
  "tsconfig.json": JSON.stringify({
    extends: "./base.json",
    compilerOptions: {
      baseUrl: ".",
      paths: {
        derive: ["./mapped.ts"],
        "derive/test": ["./mapped.ts"],
        "./lib/*": ["./mapped.ts"],
      },
      jsxImportSource: "derive",
    },
  }),
  "base.json": JSON.stringify({ compilerOptions: { paths: { "*": ["./mapped.ts"] } } }),
  "jsconfig.json": JSON.stringify({ compilerOptions: { baseUrl: ".", paths: { derive: ["./mapped.ts"] } } }),
  "lib/tsconfig.json": JSON.stringify({ compilerOptions: { paths: { derive: ["../mapped.ts"] } } }),
  "lib/package.json": JSON.stringify({ name: "derive", exports: { ".": "../self.js" } }),
  "mapped.ts": evilModule("mapped.ts"),
  "derive.ts": evilModule("derive.ts"),
  "derive.js": evil("derive.js"),
  "derive/index.ts": evilModule("derive/index.ts"),
  "index.ts": evilModule("index.ts"),
  "main.ts": evilModule("main.ts"),
  "src/main.ts": evilModule("src/main.ts"),
  // A name that is built in, and files beside streams, are not looked at.
  "streams/ExampleStream.ts": evilModule("streams/ExampleStream.ts"),
  "streams/index.ts": evilModule("streams/index.ts"),
  "streams/My.test.ts": evilModule("streams/My.test.ts"),
  ".npmrc": "ignore-scripts=false\nregistry=http://127.0.0.1:9/\n",
  "evil.toml": 'output = "evil-output"\n',
  ...Object.fromEntries(
    ["derive", "bun", "node:fs", "fs", ...packages].flatMap((name) => [
      [
        `node_modules/${name}/package.json`,
        JSON.stringify({ name, main: "./index.js", exports: { ".": "./index.js", "./*": "./index.js" } }),
      ],
      [`node_modules/${name}/index.js`, evil(`node_modules/${name}`)],
      [`node_modules/${name}/test.js`, evil(`node_modules/${name}/test`)],
    ]),
  ),
};

let folders = "";
const lay = (folder: string, files: Record<string, string | Uint8Array>) => {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folders, folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
};

beforeAll(() => {
  builtBinary();
  folders = mkdtempSync(join(tmpdir(), "derive-hostile-"));
  lay("clean", CLEAN);
  lay("hostile", { ...CLEAN, ...HOSTILE });
});
afterAll(() => rmSync(folders, { recursive: true, force: true }));

const COMMANDS: string[][] = [
  ["--version"],
  ["--help"],
  ["config", "--json"],
  ["streams", "--json"],
  ["schema", "./My.ts"],
  ["schema", "ExampleStream"],
  ["try", "./My.ts", "raw/t/20151028/a"],
  ["convert", "./My.ts", "raw/t/20151028/a", "-o", "out", "-q"],
  ["convert", "./My.ts", "raw/t/20151028/a", "-o", "out/x.parquet", "-q"],
  ["batch", "./My.ts", "--from", "20151028", "--metadata", "raw", "--input", "raw", "-o", "derived", "-q"],
  ["batch", "ExampleStream", "--from", "20151028", "--metadata", "raw", "--input", "raw", "-o", "derived", "-q", "-j2"],
  ["show", "out/x.parquet", "--json"],
  ["verify", "out", "--json"],
  ["verify", "derived", "--json"],
  ["cat", "raw/t/20151028/a"],
  ["ls", "telemetry", "20151028", "--metadata", "raw", "--input", "raw"],
  ["batch", "My", "--from", "20151028"],
];

async function runAll(folder: string, from = folder): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const words of COMMANDS) {
    const placed =
      folder === from ? words : words.map((word) => (word === "./My.ts" ? join(folders, folder, "My.ts") : word));
    const { exit, stdout, stderr } = await derive(placed, join(folders, from));
    const plain = (text: string) =>
      text.replaceAll(join(folders, folder), "FOLDER").replaceAll(join(folders, from), "FOLDER");
    told.push({ words, exit, stdout: plain(stdout), stderr: plain(stderr).replace(/[\d.]+ s \(.*/, "") });
  }
  return told;
}

test("every command does as in a clean folder, and nothing there is executed", async () => {
  const clean = await runAll("clean");
  expect(clean.map((one) => (one as { exit: number }).exit)).toEqual([...COMMANDS.slice(1).map(() => 0), 2]);
  expect(JSON.stringify(clean)).toContain('{\\"clientId\\":\\"c\\",\\"tested\\":\\"function\\"}');
  expect(await runAll("hostile")).toEqual(clean);
  const trace = join(folders, "hostile/TRACE");
  expect(existsSync(trace) && readFileSync(trace, "utf8")).toBe(false);
  expect(existsSync(join(folders, "hostile/evil-output"))).toBe(false);
});

test("nor in the folder of a stream that is run from elsewhere", async () => {
  mkdirSync(join(folders, "elsewhere"), { recursive: true });
  cpSync(join(folders, "clean/raw"), join(folders, "elsewhere/raw"), { recursive: true });
  const told = (await runAll("hostile", "elsewhere")) as { exit: number; stdout: string }[];
  expect(told.map(({ exit }) => exit)).toEqual([...COMMANDS.slice(1).map(() => 0), 2]);
  for (const folder of ["hostile", "elsewhere"]) expect(existsSync(join(folders, folder, "TRACE"))).toBe(false);
});

test("the hostile files do bite: Bun itself executes them", async () => {
  const child = Bun.spawnSync([process.execPath, "My.ts"], {
    cwd: join(folders, "hostile"),
    env: { PATH: process.env.PATH },
  });
  const trace = join(folders, "hostile/TRACE");
  const executed = readFileSync(trace, "utf8").split("\n");
  expect([child.exitCode, executed]).toEqual([expect.any(Number), expect.arrayContaining(["preload.ts", "mapped.ts"])]);
  rmSync(trace);
});
