// `derive types`: the types of "derive" and "derive/test", for editors.
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OutputError } from "../errors.ts";
import { derive } from "./author-types.ts";
import { command } from "./command.ts";
import { text } from "./values.ts";

/** Enough for an editor to see the file; it is the author's from then on. */
const TSCONFIG = `{
  "compilerOptions": {
    "target": "ESNext",
    "lib": ["ESNext"],
    "types": [],
    "module": "preserve",
    "moduleResolution": "bundler",
    "allowImportingTsExtensions": true,
    "resolveJsonModule": true,
    "strict": true,
    "noEmit": true
  }
}
`;

export default command({
  description:
    "Writes one file of types, so that an editor completes and checks streams as they are typed; and a tsconfig.json beside it " +
    "where there is none, by which editors find it. `derive check` needs neither. Write it again after an upgrade.",
  positionals: {},
  flags: {
    output: { short: "o", kind: text, value: "FILE", default: "derive.d.ts", description: "The file, or - for stdout" },
  },
  examples: [
    { does: "for the streams in this folder", run: "derive types" },
    { does: "somewhere else", run: "derive types -o types/derive.d.ts" },
  ],
  async run({ flags, output }) {
    if (flags.output === "-") {
      await output.write(derive);
      return 0;
    }
    write(flags.output, derive);
    const config = join(dirname(resolve(flags.output)), "tsconfig.json");
    if (!existsSync(config)) write(config, TSCONFIG);
    output.log.info(`wrote ${flags.output}; editors read it through the tsconfig.json beside it`);
    return 0;
  },
});

function write(path: string, content: string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new OutputError(
      `Cannot write ${path}: ${(error as NodeJS.ErrnoException).code}. Choose another place with -o`,
    );
  }
}
