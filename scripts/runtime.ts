// The runtime that a binary for Linux with glibc is made of: Bun's own npm package for that architecture, in the version and
// with the checksum of package-lock.json. `npm ci` leaves out what is for other machines, so it is fetched when first asked for.
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./built.ts";

/** As container images name them, and Bun's name for the same. */
const PACKAGES = { amd64: "@oven/bun-linux-x64", arm64: "@oven/bun-linux-aarch64" } as const;

export type Architecture = keyof typeof PACKAGES;

export const ARCHITECTURES = Object.keys(PACKAGES) as Architecture[];

export function isArchitecture(name: string): name is Architecture {
  return Object.hasOwn(PACKAGES, name);
}

/** What is built for it runs on this machine. */
export function isOwn(architecture: Architecture): boolean {
  const own = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  return process.platform === "linux" && own === architecture && isGlibc();
}

function isGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** The path of the runtime. Throws where it can neither be found nor fetched. */
export async function runtimeFor(architecture: Architecture): Promise<string> {
  if (isOwn(architecture)) return process.execPath;
  const name = PACKAGES[architecture];
  const { packages } = await Bun.file(join(root, "package-lock.json")).json();
  const { version, integrity } = packages[`node_modules/${name}`];
  const folder = join(root, "build/runtime", `${architecture}-${version}`);
  const runtime = join(folder, "node_modules", name, "bin/bun");
  if (!existsSync(runtime)) await install(folder, { name, version, integrity });
  return runtime;
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

async function install(folder: string, { name, version, integrity }: Package): Promise<void> {
  const fresh = `${folder}.${process.pid}`;
  const dependencies = { [name]: version };
  const packages = { "": { dependencies }, [`node_modules/${name}`]: { version, integrity } };
  await mkdir(fresh, { recursive: true });
  await Bun.write(join(fresh, "package.json"), JSON.stringify({ private: true, dependencies }));
  await Bun.write(join(fresh, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
  console.error(`Fetching ${name} ${version}`);
  // The checksum is looked at when a package comes in, and not when it lies in the cache: so a cache of its own.
  const env = { ...process.env, BUN_INSTALL_CACHE_DIR: join(fresh, "cache") };
  const done = Bun.spawnSync(
    [process.execPath, "install", "--frozen-lockfile", "--ignore-scripts", "--os=*", "--cpu=*"],
    { cwd: fresh, env, stdout: "ignore", stderr: "pipe" },
  );
  if (done.exitCode !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new Error(`Cannot fetch ${name} ${version} from the npm registry:\n${done.stderr.toString().trim()}`);
  }
  await rm(join(fresh, "cache"), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}
