// The commands there are. Each is loaded only when it is the one to run: start-up stays short.
import type { Commands } from "./command.ts";

export const commands: Commands = {
  batch: { summary: "Derive days of a dataset into Parquet partitions", load: () => import("./batch.ts") },
  convert: { summary: "Derive downloaded Heka files into Parquet", load: () => import("./convert.ts") },
  try: { summary: "Show what a stream makes of some input; nothing is written", load: () => import("./try.ts") },
  streams: { summary: "List the streams, with their columns", load: () => import("./streams.ts") },
  schema: { summary: "Print a stream's schema", load: () => import("./schema.ts") },
  ls: { summary: "List raw datasets, days and what a day holds", load: () => import("./ls.ts") },
  cat: { summary: "Print the messages of Heka files", load: () => import("./cat.ts") },
  show: { summary: "Show the rows of Parquet files", load: () => import("./show.ts") },
  why: { summary: "Find the raw ping behind a row, or what became of a raw frame", load: () => import("./why.ts") },
  verify: { summary: "Hold derived Parquet against its _SUCCESS", load: () => import("./verify.ts") },
  catalog: { summary: "Print what registers datasets with query engines", load: () => import("./catalog.ts") },
  new: { summary: "Begin a stream, with its test beside it", load: () => import("./new.ts") },
  infer: { summary: "Propose a stream from what raw data holds", load: () => import("./infer.ts") },
  check: { summary: "Type-check streams", load: () => import("./check.ts") },
  test: { summary: "Run the tests of streams", load: () => import("./test.ts") },
  types: { summary: "Write the types that editors read", load: () => import("./types.ts") },
  compile: { summary: "Make a derive of your own, with streams built in", load: () => import("./compile.ts") },
  lambda: { summary: "Serve events of S3 inside Lambda: each new object, a part", load: () => import("./lambda.ts") },
  invoke: { summary: "Serve events of S3 right here, without Lambda", load: () => import("./invoke.ts") },
  completions: { summary: "Print a completion script for a shell", load: () => import("./completions.ts") },
  config: {
    summary: "Show the configuration in force, and where it is from",
    load: () => import("./config-command.ts"),
  },
};
