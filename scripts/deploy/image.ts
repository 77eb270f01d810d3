// The image of a deployment: the program, and a folder with streams of one's own on top. Its tag says what is in it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { root } from "../built.ts";
import type { Architecture } from "../runtime.ts";
import type { Command } from "./shell.ts";

export interface Image {
  readonly architecture: Architecture;
  /** What Dockerfile.lambda stands on, where not its own default. */
  readonly base?: string;
  /** The folder that becomes /var/task. */
  readonly task?: string;
}

/** All files below the folder, relative to it, in order. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The same for the same binary, Dockerfiles, base and files, and for nothing else. */
export function tagOf({ architecture, base = "", task }: Image): string {
  const hash = new Bun.CryptoHasher("sha256");
  const add = (name: string, bytes: string | Uint8Array): void => {
    hash.update(`${name}\n${bytes.length}\n`);
    hash.update(bytes);
  };
  add("base", base);
  for (const name of ["Dockerfile.lambda", "deploy/Dockerfile.streams", `build/${architecture}/derive`])
    add(name, readFileSync(join(root, name)));
  if (task !== undefined) for (const name of filesOf(resolve(task))) add(name, readFileSync(join(task, name)));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return `${version}-${architecture}-${hash.digest("hex").slice(0, 16)}`;
}

/** The commands that build it under this name: the program, then, where there is a folder, its files on top. */
export function buildCommands(tool: string, name: string, { architecture, base, task }: Image): Command[] {
  const build = (tag: string, dockerfile: string, context: string, ...settings: string[]): Command => [
    tool,
    "build",
    "--platform",
    `linux/${architecture}`,
    // Older builders do not set it, and Lambda takes this format from all of them.
    ...["--build-arg", `TARGETARCH=${architecture}`],
    ...(tool === "buildah" ? ["--format", "docker"] : []),
    ...settings.flatMap((setting) => ["--build-arg", setting]),
    ...["--tag", tag, "--file", dockerfile, context],
  ];
  const program = task === undefined ? name : `${name}-program`;
  const commands = [build(program, "Dockerfile.lambda", ".", ...(base === undefined ? [] : [`BASE_IMAGE=${base}`]))];
  if (task !== undefined) commands.push(build(name, "deploy/Dockerfile.streams", resolve(task), `PROGRAM=${program}`));
  return commands;
}

/**
 * Refuses files that the function could not read: it runs as a user that owns none of them.
 * @throws {UsageError}
 */
export function refuseUnreadable(task: string): void {
  const files = filesOf(resolve(task));
  if (files.length === 0) throw new UsageError(`Cannot use --task ${task}: it holds no files`);
  for (const name of files) {
    const { mode } = statSync(join(task, name));
    if ((mode & 0o004) === 0)
      throw new UsageError(
        `Cannot use ${join(task, name)}: only its owner may read it, and the function is another user. chmod -R a+rX ${task}`,
      );
  }
}
