// `derive config`: what is in force, and from where.
import { command } from "./command.ts";
import { resolveSettings, variableOf } from "./config.ts";
import { entriesOf } from "./places.ts";
import { type SettingName, settingFlags, settings } from "./settings.ts";
import { table, visible } from "./table.ts";

const names = Object.keys(settings) as SettingName[];

export default command({
  description:
    "Lowest first: defaults, derive.toml in the working directory (or the file that --config or DERIVE_CONFIG names), " +
    "DERIVE_* variables, flags. The names are those of the flags everywhere: --max-errors 5, max-errors = 5, " +
    "DERIVE_MAX_ERRORS=5. Places are relative to the working directory.\n\n" +
    "Who has no metadata place describes datasets in derive.toml: [sources.telemetry] with bucket, prefix and " +
    'dimensions = ["submissionDate", …], the day first.',
  positionals: {},
  flags: settingFlags(...names),
  examples: [
    { does: "what would a batch use?", run: "derive config" },
    { does: "what would it use with this flag?", run: "derive config --output ./elsewhere" },
    { does: "one value, for a script", run: "derive config --json | jq -r .settings.output.value" },
  ],
  async run({ flags, output }) {
    const inForce = resolveSettings(flags);
    const unknown = unknownVariables();
    if (unknown.length > 0) output.log.warn(`no setting goes by the name of ${unknown.join(", ")}`);
    const ofPlaces = entriesOf(inForce.placeTables);
    const file = inForce.configFile ?? "";
    if (flags.json) {
      const values = names.map((name) => {
        const { from, value = null } = inForce.origins[name];
        return [name, { value, from }];
      });
      const report = {
        file: inForce.configFile ?? null,
        settings: Object.fromEntries([...values, ...ofPlaces.map(([name, value]) => [name, { value, from: file }])]),
        sources: Object.fromEntries(inForce.sources),
      };
      await output.write(`${JSON.stringify(report, null, 2)}\n`);
      return 0;
    }
    const rows = [
      ...names.map((name) => [name, inForce.origins[name].text, inForce.origins[name].from]),
      ...ofPlaces.map(([name, value]) => [name, String(value), file]),
      ...[...inForce.sources].map(([name, { prefix }]) => [`sources.${name}`, prefix, file]),
    ];
    const columns = [{ name: "setting" }, { name: "value" }, { name: "from" }];
    await output.write(table(columns, rows, output.width, output.paint).text);
    return 0;
  },
});

// Read by other parts of the program.
const OTHER_VARIABLES = ["DERIVE_CONFIG", "DERIVE_STREAM"];

/** A mistyped variable would be silently without effect. */
function unknownVariables(): string[] {
  const known = new Set([...names.map(variableOf), ...OTHER_VARIABLES]);
  return Object.keys(process.env)
    .filter((name) => name.startsWith("DERIVE_") && !known.has(name))
    .map(visible)
    .sort();
}
