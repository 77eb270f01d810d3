// What must and must not compile in the column form. `bun check` fails on an expected error that does not come.

import {
  boolean,
  bytes,
  type Column,
  defineStream,
  double,
  int,
  json,
  list,
  long,
  map,
  record,
  string,
  timestamp,
} from "derive";

/** Compiles only where the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_answer: Same<A, B>): void {}

// What functions see of each type.
const columns = {
  string: string(),
  int: int(),
  long: long(),
  double: double(),
  boolean: boolean(),
  bytes: bytes(),
  timestamp: timestamp(),
  list: list(string()),
  map: map(long("sum")),
  record: record({ id: string(), size: long().optional() }),
};
type Columns = typeof columns;
type Seen = { [Name in keyof Columns]: Parameters<Parameters<Columns[Name]["map"]>[0]>[0] };
type Expected = {
  string: string;
  int: number;
  long: bigint;
  double: number;
  boolean: boolean;
  bytes: Uint8Array;
  timestamp: bigint;
  list: readonly string[];
  map: { readonly [key: string]: bigint };
  record: { id: string; size: bigint | null };
};
same<Seen, Expected>(true);

// What functions see of other columns.
int().from(
  { a: string(), b: int().optional(), c: int().default(0), d: string().orSkip(), e: list(record({ id: string() })) },
  (values) => {
    type Values = { a: string; b: number | null; c: number; d: string; e: readonly { id: string }[] };
    same<typeof values, Values>(true);
    return values.e.length;
  },
);
int().from((message) => message.string("clientId").length);

// What functions may give.
long().map(() => 1);
timestamp().map(() => new Date(0));
string().map(() => null);
json().map((value) => ({ first: value[0], count: 1 }));
list(long()).map(() => [1, 2n]);
list(record({ id: string(), size: long().optional() })).map(() => [{ id: "a", size: null }]);
timestamp("creationTimestamp", "ns").optional();
string(["a", "b.c"])
  .map((value) => value.trim())
  .default("");
string()
  .default("")
  .map((value) => value.trim());

// @ts-expect-error a number for a string
string().map((value) => value.length);
// @ts-expect-error a bigint for an int
int().map((value) => BigInt(value));
// @ts-expect-error text for a timestamp
timestamp().map(() => "2015-10-28");
// @ts-expect-error undefined is a mistake; null means missing
int().map(() => undefined);
// @ts-expect-error undefined may come of this
int().map((value) => [1, 2, 3].find((size) => size > value));
// @ts-expect-error a promise
int().map(async (value) => value);
// @ts-expect-error a string from numbers
string().from({ a: int() }, ({ a }) => a);
// @ts-expect-error an input that is not there
string().from({ a: string() }, ({ b }) => b);
// @ts-expect-error an optional input may be null
int().from({ a: int().optional() }, ({ a }) => a + 1);
// @ts-expect-error a wrong type in a list of records
list(record({ id: string() })).map(() => [{ id: 1 }]);
// @ts-expect-error no column
list("id");
// @ts-expect-error no column among the inputs
int().from({ a: "a" }, () => 1);

// Words that cannot follow each other.
// @ts-expect-error a default of the wrong type
int().default("0");
// @ts-expect-error null is said by .optional()
int().default(null);
// @ts-expect-error two defaults
int().default(0).default(1);
// @ts-expect-error a default and null
int().default(0).optional();
// @ts-expect-error null and left out
int().optional().orSkip();
// @ts-expect-error an unknown unit
timestamp("creationTimestamp", "days");

// The definition itself.
defineStream({ streamName: "telemetry", columns: { id: string() } });
// @ts-expect-error streamName is missing
defineStream({ columns: { id: string() } });
// @ts-expect-error no column
defineStream({ streamName: "telemetry", columns: { id: "string" } });
// @ts-expect-error an unknown key
defineStream({ streamName: "telemetry", columns: { id: string() }, filter: () => true });
// @ts-expect-error both forms
defineStream({ streamName: "telemetry", columns: { id: string() }, buildRecord: () => ({ id: "a" }) });
defineStream({
  streamName: "telemetry",
  columns: { id: string() },
  // @ts-expect-error the message has no such getter
  where: (message) => message.text("docType") === "main",
});

export const anyColumn: Column = list(map(record({ a: bytes() })));
