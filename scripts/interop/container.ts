// A container of an image in buildah's storage, run by runc as Lambda would: read-only root, a small /tmp, capped memory, a
// user without rights. It shares the network, so that the services of a check are at 127.0.0.1.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Limits {
  /** MB of memory; swap is not added to it. */
  readonly memory: number;
  /** User and group. */
  readonly user: number;
}

export interface Used {
  readonly cpuSeconds: number;
  /** Bytes of memory, files in /tmp and cached ones among it; 0 where the kernel does not tell the most. */
  readonly memory: number;
}

export interface Container {
  /** Ended, with this code. */
  readonly exited: Promise<number>;
  /** What its processes have used so far; undefined where they have ended. */
  used(): Used | undefined;
  /** Kills it where it still runs; gives what it wrote. */
  stop(): Promise<{ stdout: string; stderr: string }>;
}

/** Runs one command and gives what it prints on stdout. */
export function ask(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`Cannot go on: ${command.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout.toString().trim();
}

/** What an image runs by itself. */
interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Env?: readonly string[] | null;
}

/** A root made of an image, for any number of containers. */
export class Root {
  readonly #container: string;
  readonly path: string;
  readonly config: ImageConfig;

  constructor(readonly image: string) {
    this.#container = ask("buildah", "from", "--pull-never", image);
    this.path = ask("buildah", "mount", this.#container);
    const inspected = JSON.parse(ask("buildah", "inspect", "--type", "image", image));
    this.config = inspected.Docker.config;
  }

  remove(): void {
    ask("buildah", "rm", this.#container);
  }

  /** @param emulator the program that runs binaries of the image's architecture, on another one */
  start(environment: Record<string, string>, { memory, user }: Limits, emulator?: string): Container {
    const { Entrypoint, Cmd, WorkingDir, Env } = this.config;
    const bundle = mkdtempSync(join(tmpdir(), "derive-container-"));
    const bytes = memory << 20;
    const tmpfs = { type: "tmpfs", source: "tmpfs" };
    const bind = emulator && { destination: "/tmp/emulator", type: "bind", source: emulator, options: ["bind", "ro"] };
    const config = {
      ociVersion: "1.0.2",
      root: { path: this.path, readonly: true },
      process: {
        user: { uid: user, gid: user },
        args: [...(emulator ? ["/tmp/emulator"] : []), ...(Entrypoint ?? []), ...(Cmd ?? [])],
        env: [...(Env ?? []), ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
        cwd: WorkingDir || "/",
        noNewPrivileges: true,
        capabilities: {},
      },
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", ...tmpfs, options: ["nosuid", "mode=755", "size=64k", "ro"] },
        { destination: "/tmp", ...tmpfs, options: ["nosuid", "nodev", "size=512m", "mode=1777"] },
        ...(bind ? [bind] : []),
      ],
      linux: {
        namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }],
        resources: { memory: { limit: bytes, swap: bytes } },
      },
    };
    mkdirSync(join(bundle, "state"));
    writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
    const id = `derive-${crypto.randomUUID()}`;
    const runc = ["runc", "--root", join(bundle, "state")];
    const child = Bun.spawn([...runc, "run", "--bundle", bundle, id], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const texts = Promise.all([child.stdout.text(), child.stderr.text()]);
    return {
      exited: child.exited,
      used() {
        const { exitCode, stdout } = Bun.spawnSync([...runc, "events", "--stats", id], { stderr: "ignore" });
        if (exitCode !== 0) return undefined;
        const { cpu, memory } = JSON.parse(stdout.toString()).data;
        return { cpuSeconds: cpu.usage.total / 1e9, memory: memory.usage.max ?? 0 };
      },
      async stop() {
        // Lambda gives no other sign. Of a container that has ended there is nothing left to kill.
        Bun.spawnSync([...runc, "kill", id, "KILL"], { stderr: "ignore" });
        await child.exited;
        const [stdout, stderr] = await texts;
        rmSync(bundle, { recursive: true, force: true });
        return { stdout, stderr };
      },
    };
  }
}
