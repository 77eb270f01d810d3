// A Runtime API inside the process, for `derive invoke`: it hands out some events, one after the other, and keeps the answers.

/** How one invocation ended: with a response, or with an error as Lambda is told of it. */
export interface LocalAnswer {
  readonly kind: "response" | "error";
  /** JSON. */
  readonly body: string;
}

export interface LocalApi {
  /** As AWS_LAMBDA_RUNTIME_API has it. */
  readonly host: string;
  stop(): Promise<void>;
}

const NEXT = "/2018-06-01/runtime/invocation/next";
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([\w-]+)\/(response|error)$/;

/**
 * @param events as JSON
 * @param timeout of each invocation, in ms
 * @param answered gets each answer in its turn; after the last one `next` never answers
 */
export function startLocalApi(
  events: readonly string[],
  timeout: number,
  answered: (answer: LocalAnswer, index: number) => void,
): LocalApi {
  const ids = events.map(() => crypto.randomUUID());
  let index = -1;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0, // an invocation may take minutes
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "GET" && pathname === NEXT) {
        index++;
        if (index >= events.length) return new Promise<Response>(() => {});
        return new Response(events[index], {
          headers: {
            "Lambda-Runtime-Aws-Request-Id": ids[index]!,
            "Lambda-Runtime-Deadline-Ms": String(Date.now() + timeout),
          },
        });
      }
      const [, id, kind] = ANSWER.exec(pathname) ?? [];
      if (request.method !== "POST" || id !== ids[index]) return new Response(null, { status: 404 });
      answered({ kind: kind as LocalAnswer["kind"], body: await request.text() }, index);
      return new Response(null, { status: 202 });
    },
  });
  return { host: `127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}
