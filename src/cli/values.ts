// What the value of a flag or setting may be: read from the text a user wrote, on the command line or in derive.toml.
import type { ErrorBudget } from "../pipeline/books.ts";

/** A kind of value: `parse` gives undefined for a text that is none of it, and `expects` says what would be. */
export interface Kind<T> {
  readonly expects: string;
  readonly choices?: readonly string[];
  parse(text: string): T | undefined;
}

export const text: Kind<string> = {
  expects: "a text that is not empty",
  parse: (text) => (text === "" ? undefined : text),
};

/** Of a server: http or https. */
export const serverUrl: Kind<string> = {
  expects: "a URL such as http://127.0.0.1:9000",
  parse: (text) => (/^https?:$/.test(URL.parse(text)?.protocol ?? "") ? text : undefined),
};

/** A whole number from `least` on, at most 2^53 - 1. */
export function wholeNumber(least = 0): Kind<number> {
  return {
    expects: `a whole number from ${least} on`,
    parse(text) {
      const number = Number(text);
      return /^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least ? number : undefined;
    },
  };
}

export function oneOf<const Choice extends string>(...choices: Choice[]): Kind<Choice> {
  return {
    expects: `one of ${choices.join(", ")}`,
    choices,
    parse: (text) => choices.find((choice) => choice === text),
  };
}

export const yesOrNo: Kind<boolean> = {
  expects: "true or false",
  choices: ["true", "false"],
  parse: (text) => (/^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : undefined),
};

/** Bytes. K, M and G are powers of 1024, as are KiB, MiB and GiB; KB, MB and GB are powers of 1000. */
export const byteSize: Kind<number> = {
  expects: "a size such as 256MiB, 64M or 1000000",
  parse(text) {
    const [, digits, prefix, unit] = /^(\d+(?:\.\d+)?) ?([KMGT]?)(iB|B)?$/i.exec(text) ?? [];
    if (digits === undefined || prefix === undefined || (prefix === "" && unit?.toLowerCase() === "ib"))
      return undefined;
    const base = unit?.toLowerCase() === "b" ? 1000 : 1024;
    const bytes = Math.floor(Number(digits) * base ** " KMGT".indexOf(prefix === "" ? " " : prefix.toUpperCase()));
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
  },
};

/** `N`, `N%`, or both joined by a comma, as in the default `10,1%`. */
export const errorBudget: Kind<ErrorBudget> = {
  expects: "a number of errors such as 100, or a share such as 0.5%",
  parse(text) {
    const budget = { count: 0, fraction: 0 };
    for (const part of text.split(",")) {
      if (/^\d+$/.test(part)) budget.count = Number(part);
      else if (/^\d+(\.\d+)?%$/.test(part) && Number.parseFloat(part) <= 100)
        budget.fraction = Number.parseFloat(part) / 100;
      else return undefined;
    }
    return budget;
  },
};

/** A time such as `30s`, `5min`, `500ms` or `90`, which is seconds; in ms. */
export const duration: Kind<number> = {
  expects: "a time such as 30s, 5min or 500ms",
  parse(text) {
    const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?) ?(ms|s|min|m)?$/.exec(text) ?? [];
    const milliseconds = Math.round(Number(digits) * { ms: 1, s: 1000, min: 60_000, m: 60_000 }[unit as "ms"]);
    return milliseconds > 0 && milliseconds <= 86_400_000 ? milliseconds : undefined;
  },
};

/** `1%` or `0.1%`, as a fraction above 0 and at most 1. */
export const share: Kind<number> = {
  expects: "a share such as 1%",
  parse(text) {
    const percent = /^\d+(\.\d+)?%$/.test(text) ? Number.parseFloat(text) : 0;
    return percent > 0 && percent <= 100 ? percent / 100 : undefined;
  },
};
