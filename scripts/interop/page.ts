// Makes a derived month with faults, lets the built binary write its page, and looks at it in Chromium. Ends with 1 where
// something is wrong. bun scripts/interop/page.ts <folder with playwright-core and axe-core>
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { framePing } from "../../src/heka/ping.ts";
import { builtBinary } from "../built.ts";

const [folder = ""] = process.argv.slice(2);
const work = join(folder, "work");
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

function derive(exit: number, ...words: string[]): void {
  const ran = Bun.spawnSync([builtBinary(), ...words], { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
  if (ran.exitCode !== exit) throw new Error(`derive ${words[0]} ended with ${ran.exitCode}: ${ran.stderr}`);
}

for (let day = 1; day <= 31; day++) {
  const raw = join(work, "raw/t", `201510${String(day).padStart(2, "0")}`);
  mkdirSync(raw, { recursive: true });
  const frames: Uint8Array[] = Array.from({ length: 30 + ((day * 37) % 50) }, (_, i) =>
    framePing({ clientId: i % 9 ? `c${i}` : null, n: i % 41 ? i : "text" }, {}, "heka"),
  );
  if (day % 5 === 0) frames.splice(3, 0, Buffer.from("these bytes are damaged"));
  writeFileSync(join(raw, "object"), Buffer.concat(frames));
}
writeFileSync(
  join(work, "derive.toml"),
  'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate"]\n',
);
writeFileSync(
  join(work, "Sessions.ts"),
  'import { defineStream, int, string } from "derive";\nexport default defineStream({ streamName: "telemetry", columns: { clientId: string().orSkip(), n: int() } });\n',
);
derive(0, "batch", "./Sessions.ts", "--from", "20151001", "--to", "20151031");
derive(0, "verify", "out", "--html", "sound.html");
appendFileSync(join(work, "out/sessions/v1/submission_date_s3=20151007/part-0-00000.zstd.parquet"), "surplus");
derive(7, "verify", "out", "--html", "differs.html");

const { chromium } = await import(join(folder, "node_modules/playwright-core/index.mjs"));
const axe = await Bun.file(join(folder, "node_modules/axe-core/axe.min.js")).text();
const options = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", ...options] });
const faults: string[] = [];
for (const name of ["sound", "differs"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      const view = `${name}-${colorScheme}-${width}`;
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      const page = await context.newPage();
      const url = pathToFileURL(join(work, `${name}.html`)).href;
      page.on(
        "request",
        (request: { url(): string }) => request.url() !== url && faults.push(`${view}: fetches ${request.url()}`),
      );
      page.on("console", (message: { text(): string }) => faults.push(`${view}: says ${message.text()}`));
      page.on("pageerror", (error: Error) => faults.push(`${view}: fails with ${error.message}`));
      await page.goto(url);
      const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      if (wide > 0) faults.push(`${view}: is ${wide} pixels too wide`);
      // By keyboard alone: the skip link comes first, and Enter opens what is folded.
      await page.keyboard.press("Tab");
      if ((await page.evaluate("document.activeElement.className")) !== "skip")
        faults.push(`${view}: the skip link is not first`);
      await page.locator("details > summary").first().focus();
      await page.keyboard.press("Enter");
      if ((await page.locator("details").first().getAttribute("open")) === null)
        faults.push(`${view}: Enter opens nothing`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate("axe.run()");
      for (const { id, help, nodes } of violations) faults.push(`${view}: ${id}: ${help}, at ${nodes[0].target}`);
      await page.screenshot({ path: join(folder, `${view}.png`), fullPage: true });
      await context.close();
    }
  }
}
await browser.close();
for (const fault of faults) console.error(fault);
console.log(`8 views of 2 pages: ${faults.length} faults. Screenshots are in ${folder}`);
process.exitCode = faults.length > 0 ? 1 : 0;
