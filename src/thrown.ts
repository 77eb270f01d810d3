// Errors that are not of our making, told without their texts: JSON.parse and its like quote what they were given (P12).

const CLASSES = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  URIError,
  EvalError,
  AggregateError,
  DOMException,
} as const;

/** The name of the built-in class of an error: `name` and the name of its own class may have been made of anything. */
export function className(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  return Object.entries(CLASSES).find(([, Class]) => error instanceof Class)?.[0] ?? "Error";
}

/** The lines of its stack that are places in a program, the innermost first; what it says of itself may go over many lines. */
export function placesOf(error: unknown): string[] {
  if (!(error instanceof Error) || typeof error.stack !== "string") return [];
  const { stack, message } = error;
  const places =
    message !== "" && stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : stack;
  return places.split("\n").filter((line) => /^\s+at /.test(line));
}
