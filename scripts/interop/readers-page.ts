// Puts the table that readers.py wrote into docs/readers.md. bun scripts/interop/readers-page.ts <table.md>
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [table = ""] = process.argv.slice(2);
const page = join(import.meta.dir, "../../docs/readers.md");
const [before, after] = ["<!-- the table of scripts/interop/readers.sh -->\n", "<!-- its end -->"];
const text = readFileSync(page, "utf8");
const [start, end] = [text.indexOf(before), text.indexOf(after)];
if (start < 0 || end < start) throw new Error(`Cannot find the place of the table in ${page}`);
writeFileSync(page, `${text.slice(0, start + before.length)}\n${readFileSync(table, "utf8")}\n${text.slice(end)}`);
