// How a partition's dimensions become folders that Hive, Spark, Athena and DuckDB read back.

/** What Hive's FileUtils.escapePathName escapes, and NUL, which no path can hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are in Hive's table
const ESCAPED = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g;

/** "submissionDate" and "SubmissionDate" become "submission_date", "clientID2" becomes "client_id2". */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9_]/g, "_")
    .toLowerCase();
}

/** "submission_date_s3=20151028/app_name_s3=Firefox": the values of a partition in the order given. */
export function hivePath(values: readonly { readonly dimension: string; readonly value: string }[]): string {
  return values.map(({ dimension, value }) => `${snakeCase(dimension)}_s3=${hiveValue(value)}`).join("/");
}

function hiveValue(value: string): string {
  if (value === "") return "__HIVE_DEFAULT_PARTITION__";
  return value.replace(ESCAPED, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
