// Helpers that are emitted into the program instead of being called: mostly those that read a cell of the CPU's area.
// Invariant I6: an emitter leaves in r0 exactly what the helper in src/helpers returns. To add one: a row here, by the helper's uapi name.

import type { InsnFact } from '../insn/verified-program.ts';
import { CPU } from '../vm/cpu-area.ts';
import type { ExecEnv } from '../vm/executor.ts';
import { i64 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Code } from '../maps/code.ts';

/** What an emitter works with; it may write statements with `f` before it returns the value. */
export interface EmitSite {
  readonly f: Code;
  /** Offset of the running CPU's area. */
  readonly cpu: Expr<'i32'>;
  /** r1 … r5. */
  readonly args: readonly Expr<'i64'>[];
  readonly fact: InsnFact;
  readonly env: ExecEnv;
}

/** The value of r0 after the call, or undefined when this call has to go to the helper after all. */
export type Emitter = (site: EmitSite) => Expr<'i64'> | undefined;

const cell64 = (offset: number): Emitter => ({ cpu }) => i64.load(cpu, { offset });
const cell32 = (offset: number): Emitter => ({ cpu }) => i64.load32_u(cpu, { offset });

/** By helper name, with its 'bpf_'. */
export const emitters: Readonly<Record<string, Emitter>> = {
  bpf_ktime_get_ns: cell64(CPU.ktimeNs),
  bpf_ktime_get_boot_ns: cell64(CPU.bootNs),
  bpf_ktime_get_tai_ns: cell64(CPU.taiNs),
  bpf_jiffies64: cell64(CPU.jiffies),
  bpf_get_smp_processor_id: cell32(CPU.id),
  bpf_get_numa_node_id: cell32(CPU.numaNode),
  bpf_get_current_pid_tgid: cell64(CPU.pidTgid),
  bpf_get_current_uid_gid: cell64(CPU.uidGid),
};
