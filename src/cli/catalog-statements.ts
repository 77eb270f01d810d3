// The statements that register a dataset, for each catalogue. Text in, text out.
import { type HiveColumn, hiveColumns } from "../avro/hive-types.ts";
import { UsageError } from "../errors.ts";
import type { CatalogDataset, CatalogPartition } from "../jobs/catalog.ts";

export const CATALOGUES = {
  hive: (dataset: CatalogDataset) => `${hiveTable(dataset)};\n${partitionStatements(dataset)}`,
  athena: athenaStatements,
  glue: glueInput,
  spark: sparkStatements,
  duckdb: duckdbView,
};

/** Names that differ in their case alone are one name to Hive and its kin. */
function tableColumns({ name, schema, partitions }: CatalogDataset): { columns: HiveColumn[]; dimensions: string[] } {
  const columns = hiveColumns(schema.root);
  const dimensions = (partitions[0]?.values ?? []).map(([dimension]) => dimension);
  const seen = new Set<string>();
  for (const column of [...columns.map((one) => one.name), ...dimensions]) {
    if (seen.size === seen.add(column.toLowerCase()).size) {
      throw new UsageError(
        `Cannot register ${name}: two of its columns are called ${column} but for the case. Rename one in the stream`,
      );
    }
  }
  return { columns, dimensions };
}

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
const text = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** s3a is Hadoop's own word for S3 outside of AWS's engines, which say s3. */
function location(url: string, scheme = "s3"): string {
  return text(scheme === "s3" ? url : url.replace(/^s3:/, `${scheme}:`));
}

function hiveTable(dataset: CatalogDataset, scheme = "s3a", properties = ""): string {
  const { columns, dimensions } = tableColumns(dataset);
  const lines = columns.map(({ name, type }) => `  ${quoted(name)} ${type}`);
  const partitioned =
    dimensions.length > 0 ? `PARTITIONED BY (${dimensions.map((name) => `${quoted(name)} string`).join(", ")})\n` : "";
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${quoted(dataset.name)} (
${lines.join(",\n")}
)
${partitioned}STORED AS PARQUET
LOCATION ${location(dataset.url, scheme)}${properties}`;
}

function partitionStatements({ name, partitions }: CatalogDataset, scheme = "s3a"): string {
  return partitions
    .filter(({ values }) => values.length > 0)
    .map(
      ({ values, url }) =>
        `ALTER TABLE ${quoted(name)} ADD IF NOT EXISTS PARTITION (${values.map(([dimension, value]) => `${quoted(dimension)}=${text(hiveValue(value))}`).join(", ")}) LOCATION ${location(url, scheme)};\n`,
    )
    .join("");
}

function hiveValue(value: string): string {
  return value === "" ? "__HIVE_DEFAULT_PARTITION__" : value;
}

/** Days alone need no statement for each: Athena computes their places. */
function isProjected({ partitions }: CatalogDataset): boolean {
  return (
    partitions.length > 0 && partitions.every(({ values }) => values.length === 1 && /^\d{8}$/.test(values[0]![1]))
  );
}

function projection(dataset: CatalogDataset): [string, string][] {
  const [dimension = "", first = ""] = dataset.partitions[0]?.values[0] ?? [];
  return [
    ["projection.enabled", "true"],
    [`projection.${dimension}.type`, "date"],
    [`projection.${dimension}.format`, "yyyyMMdd"],
    [`projection.${dimension}.range`, `${first},NOW`],
    [`projection.${dimension}.interval`, "1"],
    [`projection.${dimension}.interval.unit`, "DAYS"],
    ["storage.location.template", `${dataset.url}${dimension}=\${${dimension}}/`],
  ];
}

function athenaStatements(dataset: CatalogDataset): string {
  if (!isProjected(dataset)) return `${hiveTable(dataset, "s3")};\n${partitionStatements(dataset, "s3")}`;
  const properties = projection(dataset).map(([key, value]) => `  ${text(key)}=${text(value)}`);
  return `${hiveTable(dataset, "s3", `\nTBLPROPERTIES (\n${properties.join(",\n")}\n)`)};\n`;
}

/** The TableInput of Glue's CreateTable, and of BatchCreatePartition where days are not all there is. */
function glueInput(dataset: CatalogDataset): string {
  const { columns, dimensions } = tableColumns(dataset);
  const storage = (url: string) => ({
    Location: url,
    Columns: columns.map(({ name, type }) => ({ Name: name.toLowerCase(), Type: type })),
    InputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    OutputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    SerdeInfo: { SerializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
  });
  const projected = isProjected(dataset);
  const TableInput = {
    Name: dataset.name,
    TableType: "EXTERNAL_TABLE",
    Parameters: {
      EXTERNAL: "TRUE",
      classification: "parquet",
      ...(projected && Object.fromEntries(projection(dataset))),
    },
    StorageDescriptor: storage(dataset.url),
    PartitionKeys: dimensions.map((Name) => ({ Name, Type: "string" })),
  };
  const partitionInput = ({ values, url }: CatalogPartition) => ({
    Values: values.map(([, value]) => hiveValue(value)),
    StorageDescriptor: storage(url),
  });
  const needed = !projected && dimensions.length > 0;
  const PartitionInputList = needed ? dataset.partitions.map(partitionInput) : undefined;
  return `${JSON.stringify({ TableInput, PartitionInputList }, null, 2)}\n`;
}

function sparkStatements(dataset: CatalogDataset): string {
  const { columns, dimensions } = tableColumns(dataset);
  const all = [...columns, ...dimensions.map((name) => ({ name, type: "string" }))];
  const lines = all.map(({ name, type }) => `  ${quoted(name)} ${type}`);
  const partitioned = dimensions.length > 0 ? `PARTITIONED BY (${dimensions.map(quoted).join(", ")})\n` : "";
  return `CREATE TABLE IF NOT EXISTS ${quoted(dataset.name)} (
${lines.join(",\n")}
)
USING PARQUET
${partitioned}LOCATION ${location(dataset.url, "s3a")};
${partitionStatements(dataset)}`;
}

/** Over exactly the parts that manifests name: what is not committed, and event parts, are not seen. */
function duckdbView({ name, partitions }: CatalogDataset): string {
  const string = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const parts = partitions.flatMap((partition) => partition.parts);
  const onS3 = parts.some((url) => url.startsWith("s3://"));
  const paths = parts.map((url) => string(url.replace(/^file:\/\//, "")));
  const hive = partitions[0]?.values.map(([dimension]) => `${string(dimension)}: VARCHAR`) ?? [];
  const options = [
    "union_by_name = true",
    hive.length > 0 ? `hive_partitioning = true, hive_types = {${hive.join(", ")}}` : "hive_partitioning = false",
  ];
  return `${onS3 ? "INSTALL httpfs;\nLOAD httpfs;\n" : ""}CREATE OR REPLACE VIEW "${name}" AS
SELECT * FROM read_parquet([
  ${paths.join(",\n  ")}
], ${options.join(", ")});
`;
}
