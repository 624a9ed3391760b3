// The least kernel that can run a program: one memory, one CPU, a function table, and a host that keeps what programs print and send.
// For tests of executors and helpers; the real simulated kernel is src/kernel.

import type { Insn } from '../../src/insn/insn.ts';
import { subprogStarts } from '../../src/insn/blocks.ts';
import { mintVerifiedProgram } from '../../src/insn/verified-program.ts';
import type { VerifiedParts, VerifiedProgram } from '../../src/insn/verified-program.ts';
import { callBackAt } from '../../src/vm/call-back.ts';
import { CPU, createCpuArea } from '../../src/vm/cpu-area.ts';
import type { ExecEnv, MapRuntime } from '../../src/vm/executor.ts';
import { KernelFunctionTable } from '../../src/vm/function-table.ts';
import type { HelperHost, HelperImpl, NetHost } from '../../src/vm/host.ts';
import { KernelMemory } from '../../src/vm/memory.ts';

/** What a test may set. */
export interface MiniKernelOptions {
  readonly shared?: boolean;
  /** Fuel of the CPU; absent: no fuel checks. */
  readonly fuel?: bigint;
  readonly helpers?: Iterable<readonly [number, HelperImpl]>;
  readonly net?: NetHost;
  readonly cpuCount?: number;
}

/** A kernel for one test. */
export interface MiniKernel {
  readonly memory: KernelMemory;
  readonly area: number;
  readonly env: ExecEnv;
  readonly host: HelperHost;
  /** Add to these before a program that uses them is prepared. */
  readonly maps: MapRuntime[];
  /** What programs printed. */
  readonly lines: string[];
  /** What programs sent to perf buffers. */
  readonly events: { readonly mapId: number; readonly index: number; readonly data: Uint8Array }[];
}

/** Makes a kernel with one CPU running. */
export function miniKernel(options: MiniKernelOptions = {}): MiniKernel {
  const memory = new KernelMemory({ shared: options.shared ?? false, initialPages: 16, maximumPages: 1024 });
  const area = createCpuArea(memory, 0);
  const maps: MapRuntime[] = [];
  const lines: string[] = [];
  const events: { mapId: number; index: number; data: Uint8Array }[] = [];
  const table = new KernelFunctionTable();
  const host: HelperHost = {
    memory,
    cpuArea: () => area,
    cpuCount: options.cpuCount ?? 1,
    mapAt: (header) => maps.find((map) => map.header === header) as MapRuntime,
    mapById: (id) => maps.find((map) => map.id === id),
    callBack: (slot, r1, r2, r3, r4, r5) => callBackAt(memory, area, table, slot, [r1, r2, r3, r4, r5]),
    printk: (text) => lines.push(text),
    perfOutput: (map, index, data) => {
      events.push({ mapId: map.id, index, data });
      return 0;
    },
    net: options.net,
  };
  const cpu = new WebAssembly.Global({ value: 'i32', mutable: true }, area);
  if (options.fuel !== undefined) memory.view.setBigInt64(area + CPU.fuel, options.fuel, true);
  const env: ExecEnv = { memory, host, helpers: new Map(options.helpers ?? []), maps, cpu, table, fuel: options.fuel !== undefined };
  return { memory, area, env, host, maps, lines, events };
}

/** Instructions as if the verifier had accepted them. The caller answers for their being fit to run. */
export function asVerified(insns: readonly Insn[], parts: Partial<VerifiedParts> = {}): VerifiedProgram {
  const starts = subprogStarts(insns);
  return mintVerifiedProgram({
    name: 'test', type: 0, expectedAttachType: 0, insns,
    facts: insns.map(() => ({})),
    subprogs: starts.map((start, index) => ({
      start, end: starts[index + 1] ?? insns.length, stackDepthBytes: 512, isCallback: false, name: index === 0 ? 'main' : `func_${index}`,
    })),
    maps: [], readsUninitStack: true, gplCompatible: true, ...parts,
  });
}
