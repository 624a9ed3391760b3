// A kernel just large enough for maps: memory, CPUs and descriptors for tests and benchmarks of maps.
// The real environment is made by src/kernel.

import { EBADF } from '../../src/spec/errno.ts';
import { createCpuArea } from '../../src/vm/cpu-area.ts';
import { KernelMemory } from '../../src/vm/memory.ts';
import { commandError } from '../../src/maps/command-error.ts';
import type { MapEnv, MapRef, ProgRef } from '../../src/maps/env.ts';

/** A map environment whose descriptors are plain tables. */
export interface TestEnv extends MapEnv {
  readonly cpuAreas: readonly number[];
  readonly maps: Map<number, MapRef>;
  readonly progs: Map<number, ProgRef>;
  readonly devices: Set<number>;
  /** Perf events and AF_XDP sockets: descriptor → id. */
  readonly events: Map<number, number>;
  /** Makes `cpu` the running CPU. */
  runOn(cpu: number): void;
  /** Ends the grace period: deferred functions run, freed elements become available. */
  endGracePeriod(): void;
}

function resolve<T>(table: Map<number, T>, fd: number): T {
  const found = table.get(fd);
  if (found === undefined) throw commandError('BPF_MAP_UPDATE_ELEM', EBADF);
  return found;
}

/** Makes an environment with `cpus` CPUs; `shared` memory on request. */
export function testEnv(cpus = 2, shared = false): TestEnv {
  const memory = new KernelMemory({ shared, maximumPages: 65536 });
  const cpuAreas = Array.from({ length: cpus }, (_, cpu) => createCpuArea(memory, cpu));
  const cpu = new WebAssembly.Global({ value: 'i32', mutable: true }, cpuAreas[0] ?? 0);
  const graceCell = memory.alloc(8);
  const deferred: (() => void)[] = [];
  const maps = new Map<number, MapRef>();
  const progs = new Map<number, ProgRef>();
  const devices = new Set<number>();
  const events = new Map<number, number>();
  let nextId = 1;
  return {
    memory, cpu, possibleCpus: cpus, graceCell, cpuAreas, maps, progs, devices, events,
    deferFree: (fn) => void deferred.push(fn),
    newMapId: () => nextId++,
    mapFromFd: (fd) => resolve(maps, fd),
    progFromFd: (fd) => resolve(progs, fd),
    perfEventFromFd: (fd) => resolve(events, fd),
    xskFromFd: (fd) => resolve(events, fd),
    deviceExists: (ifindex) => devices.has(ifindex),
    runOn: (n) => {
      cpu.value = cpuAreas[n] ?? 0;
    },
    endGracePeriod: () => {
      memory.view.setUint32(graceCell, memory.view.getUint32(graceCell, true) + 1, true);
      for (const fn of deferred.splice(0)) fn();
    },
  };
}
