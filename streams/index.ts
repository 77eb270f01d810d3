// The built-in streams, by the name that `derive batch` takes.

import type { DerivedStream } from "derive";
import AddonsStream from "./AddonsStream.ts";
import ExampleStream from "./ExampleStream.ts";
import ExecutiveStream from "./ExecutiveStream.ts";

export const streams: { readonly [name: string]: DerivedStream } = { AddonsStream, ExampleStream, ExecutiveStream };
