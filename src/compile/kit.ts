// The program as texts, from which `derive compile` makes new programs. scripts/build.ts puts them in the place of this file.

/** File name to JavaScript, `main.js` among them: the bundled program, before it was made executable. */
export type Kit = Readonly<Record<string, string>>;

/** Undefined where the program runs from its sources. */
export const kit: Kit | undefined = undefined;
