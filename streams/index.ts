// The built-in streams, by the name that `derive batch` takes. Each is loaded when it is asked for.

import type { DerivedStream } from "derive";

export const streams: { readonly [name: string]: () => Promise<{ readonly default: DerivedStream }> } = {
  AddonsStream: () => import("./AddonsStream.ts"),
  ExampleStream: () => import("./ExampleStream.ts"),
  ExecutiveStream: () => import("./ExecutiveStream.ts"),
};
