// Types only: from the schema that buildSchema returns to the record that buildRecord must return, checked while typing.

import type { AvroRecord, AvroSchema } from "./avro/literal.ts";

/** What a record holds for each primitive type of Avro. */
interface Primitives {
  null: null;
  boolean: boolean;
  int: number;
  long: bigint | number;
  float: number;
  double: number;
  bytes: Uint8Array;
  string: string;
}

/** What a record holds for each logical type; only a uuid differs by what lies below it. */
interface LogicalTypes {
  decimal: bigint | string;
  date: Date | number;
  "time-millis": number;
  "time-micros": bigint | number;
  "timestamp-millis": Date | bigint | number;
  "timestamp-micros": Date | bigint | number;
  "timestamp-nanos": Date | bigint;
  "local-timestamp-millis": Date | bigint | number;
  "local-timestamp-micros": Date | bigint | number;
  "local-timestamp-nanos": Date | bigint;
  uuid: string;
}

/** The record a schema asks for. A schema whose literal is not known to the compiler asks for any record. */
export type InferRecord<Schema extends AvroRecord> = RecordOf<Schema["fields"], NamedTypes<Schema>>;

type RecordOf<Fields, Named> = Fields extends readonly (infer Field extends { readonly name: string })[]
  ? string extends Field["name"]
    ? { readonly [column: string]: unknown }
    : RequiredFields<Field, Named> & OptionalFields<Field, Named> extends infer Both
      ? { [Name in keyof Both]: Both[Name] }
      : never
  : never;

type RequiredFields<Field, Named> = {
  [F in Exclude<Field, WithDefault> as NameOf<F>]: FieldType<F, Named>;
};
type OptionalFields<Field, Named> = {
  [F in Extract<Field, WithDefault> as NameOf<F>]?: FieldType<F, Named>;
};
type WithDefault = { readonly default: unknown };
type NameOf<Field> = Field extends { readonly name: infer Name extends string } ? Name : never;

type FieldType<Field, Named> = Field extends { readonly type: infer Type } ? ValueOf<Type, Named> : never;

// A part of a schema that is only known to be some schema may ask for anything: looking into it would never end.
type ValueOf<Type, Named> = AvroSchema extends Type ? unknown : KnownValueOf<Type, Named>;

type KnownValueOf<Type, Named> = Type extends keyof Primitives
  ? Primitives[Type]
  : Type extends string
    ? string extends Type
      ? unknown
      : Reference<Type, Named>
    : Type extends readonly unknown[]
      ? ValueOf<Type[number], Named>
      : Type extends { readonly logicalType: infer Logical extends keyof LogicalTypes }
        ? Type extends { readonly type: "fixed"; readonly logicalType: "uuid" }
          ? Uint8Array
          : LogicalTypes[Logical]
        : Type extends { readonly type: "record"; readonly fields: infer Fields }
          ? RecordOf<Fields, Named>
          : Type extends { readonly type: "array"; readonly items: infer Items }
            ? readonly ValueOf<Items, Named>[]
            : Type extends { readonly type: "map"; readonly values: infer Values }
              ? { readonly [key: string]: ValueOf<Values, Named> } | ReadonlyMap<string, ValueOf<Values, Named>>
              : Type extends { readonly type: "enum"; readonly symbols: readonly (infer Symbols)[] }
                ? Symbols
                : Type extends { readonly type: "fixed" }
                  ? Uint8Array
                  : Type extends { readonly type: infer Inner }
                    ? ValueOf<Inner, Named>
                    : never;

/** A reference is the name alone, or with its namespace; a namespace that is inherited matches by the name's end. */
type Reference<Name extends string, Named> = [Definition<Name, Named>] extends [never]
  ? `buildSchema defines no type ${Name}`
  : ValueOf<Definition<Name, Named>, Named>;

type Definition<Name extends string, Named> = Named extends { readonly name: infer Defined extends string }
  ? LastPart<Name> extends LastPart<Defined>
    ? Named
    : never
  : never;

type LastPart<Name extends string> = Name extends `${string}.${infer Rest}` ? LastPart<Rest> : Name;

/** Every record, enum and fixed defined anywhere inside `Type`, as a union. */
type NamedTypes<Type> = AvroSchema extends Type ? never : KnownNamedTypes<Type>;

type KnownNamedTypes<Type> = Type extends string
  ? never
  : Type extends readonly (infer Branch)[]
    ? NamedTypes<Branch>
    : Type extends { readonly type: "record"; readonly fields: readonly (infer Field)[] }
      ? Type | (Field extends { readonly type: infer Inner } ? NamedTypes<Inner> : never)
      : Type extends { readonly type: "enum" | "fixed" }
        ? Type
        : Type extends { readonly items: infer Items }
          ? NamedTypes<Items>
          : Type extends { readonly values: infer Values }
            ? NamedTypes<Values>
            : Type extends { readonly type: infer Inner }
              ? NamedTypes<Inner>
              : never;

/**
 * What `Given` must be beside `Asked` so that it has no field more, at any depth: `{ addons: readonly { color: never }[] }`
 * where a record in the list has a field `color` that the schema does not know, `unknown` where all is well. Needed as
 * the language looks for surplus fields in literals of a declared type, but not in what a function returns.
 */
export type NoSurplus<Asked, Given> = (
  Given extends unknown
    ? (accepted: NoSurplusIn<Asked, Given>) => void
    : never
) extends (accepted: infer All) => void
  ? All
  : never;

// Of one member of a union; above, all must be kept to, which takes functions: parameters are joined by "and".
type NoSurplusIn<Asked, Given> = unknown extends Asked
  ? unknown
  : Given extends Whole
    ? unknown
    : Given extends readonly (infer Item)[]
      ? NoSurplusItems<NoSurplus<ItemOf<Asked>, Item>>
      : NoSurplusFields<{
          [Name in keyof Given as Refused<Asked, Given, Name> extends true ? Name : never]: Name extends KeyOf<Asked>
            ? NoSurplus<MemberOf<Asked, Name>, Given[Name]>
            : never;
        }>;

type Refused<Asked, Given, Name extends keyof Given> =
  Name extends KeyOf<Asked> ? (unknown extends NoSurplus<MemberOf<Asked, Name>, Given[Name]> ? false : true) : true;

type NoSurplusItems<Item> = unknown extends Item ? unknown : readonly Item[];
type NoSurplusFields<Fields> = [keyof Fields] extends [never] ? unknown : Fields;

/** Values without fields to look into. */
type Whole = null | undefined | boolean | number | bigint | string | symbol | Date | Uint8Array | AnyMap | AnyFunction;
// biome-ignore lint/suspicious/noExplicitAny: of whatever keys and values.
type AnyMap = ReadonlyMap<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: of whatever arguments and result.
type AnyFunction = (...values: any) => any;

type ItemOf<Asked> = Asked extends readonly (infer Item)[] ? Item : never;
type KeyOf<Asked> = Asked extends Whole | readonly unknown[] ? never : keyof Asked;
type MemberOf<Asked, Name> = Asked extends unknown ? (Name extends keyof Asked ? Asked[Name] : never) : never;
