#!/usr/bin/env bash
# Foreign readers on files with every Avro type, no rows, all codecs, nested nulls, many pages: pyarrow, pandas, polars, DuckDB,
# ClickHouse (chdb), fastparquet and Spark from PyPI, parquet-java's AvroParquetReader and Iceberg's reader from Maven. Writes the
# table of docs/readers.md. Trino's reader needs a newer Java than 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-readers}
mkdir -p "$folder"
[[ -x $folder/venv/bin/python ]] || {
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 chdb==4.4.0 fastparquet==2026.9.0 pyspark==4.3.0
}
[[ -d $folder/jars ]] || (cd scripts/interop/java && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$folder/jars")
rm -rf "$folder/files"
node_modules/.bin/bun scripts/interop/reader-files.ts "$folder/files"
javac -cp "$folder/jars/*" -d "$folder" scripts/interop/java/Readers.java
java -cp "$folder:$folder/jars/*" Readers "$folder/files" 2>/dev/null >"$folder/java.jsonl"
"$folder/venv/bin/python" scripts/interop/readers.py "$folder/files" "$folder/table.md" "$folder/java.jsonl" 2>/dev/null
node_modules/.bin/bun scripts/interop/readers-page.ts "$folder/table.md"
