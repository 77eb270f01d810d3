// Whether a stream has changed what JavaScript itself brings along: what runs beside it then cannot be relied on. Loaded in
// worker threads before any stream is that is not our own. What is used here is taken beforehand, and no loop asks for an iterator.

const { get, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { is } = Object;

interface Kept {
  readonly owner: object;
  /** "Array.prototype.push" */
  readonly name: string;
  readonly key: string | symbol;
  readonly found: PropertyDescriptor;
}

/** Namespaces and classes whose functions the program itself calls while a stream is at work. */
const GLOBALS = [
  "Array ArrayBuffer BigInt Boolean DataView Date Error Float64Array Int32Array JSON Map Math Number Object Promise",
  "RangeError Reflect RegExp Set String Symbol TextDecoder TextEncoder TypeError Uint32Array Uint8Array WeakMap",
].flatMap((names) => names.split(" "));

const kept = GLOBALS.flatMap((name): Kept[] => {
  const value = Reflect.get(globalThis, name) as object & { prototype?: object };
  const prototype = value.prototype;
  return [
    { owner: globalThis, name, key: name, found: getOwnPropertyDescriptor(globalThis, name)! },
    ...functionsOf(value, name),
    ...(prototype ? functionsOf(prototype, `${name}.prototype`) : []),
  ];
}).concat(
  functionsOf(getPrototypeOf(Uint8Array.prototype)!, "TypedArray.prototype"),
  functionsOf(Buffer.prototype, "Buffer.prototype"),
  ["gc", "hash", "zstdCompressSync", "zstdDecompressSync", "gzipSync", "gunzipSync"].map(ofBun),
);

/** Looked at first: until then Bun has an accessor in a function's place. */
function ofBun(key: string): Kept {
  Reflect.get(Bun, key);
  return { owner: Bun, name: `Bun.${key}`, key, found: getOwnPropertyDescriptor(Bun, key)! };
}

/** Only functions and accessors: some values, such as Error.stackTraceLimit, are there to be set. */
function functionsOf(owner: object, name: string): Kept[] {
  return ownKeys(owner)
    .map((key) => ({ owner, name: `${name}.${String(key)}`, key, found: getOwnPropertyDescriptor(owner, key)! }))
    .filter(({ found }) => typeof found.value === "function" || found.get !== undefined);
}

/** The first function or class that is not what it was when the thread began; undefined where all are. */
export function changedBuiltin(): string | undefined {
  for (let index = 0; index < kept.length; index++) {
    const one = kept[index]!;
    if (!isAsFound(one)) return one.name;
  }
  return undefined;
}

/** Asked after every task, so nothing is made for the many that are plain functions. */
function isAsFound({ owner, key, found }: Kept): boolean {
  try {
    if (found.get === undefined) return is(get(owner, key), found.value);
    return is(getOwnPropertyDescriptor(owner, key)?.get, found.get);
  } catch {
    return false; // an accessor in its place
  }
}
