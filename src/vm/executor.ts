// What an executor is: it takes a verified program and a kernel's environment, and gives something to run.
// Invariants I3 (only VerifiedProgram) and I6 (interpreter and JIT can't be told apart from outside).
//
// Calling convention, the same in both executors:
//  · r1 is an address (KERNEL_BASE | offset), r10 of the first frame is `stackTop(cpuArea)`, of each deeper frame FRAME_BYTES lower.
//  · every wasm function of a program has the signature (r1 … r5: i64, framePointerOffset: i32) → i64.
//  · a callback's "address" (LDDW with src 4) is its slot in `table`; a PROG_ARRAY element holds the slot of the program's entry.
//  · fuel, when on, is charged on entry to each basic block (insn/blocks.ts) by its `weight`; below zero it is Fault 'fuel'
//    (the cell then keeps its negative value).
//  · a run starts with r2 … r5 = 0 and the tail-call cell = 0; a tail call keeps the frame pointer, and counts only when the element's slot isn't empty
//    (as the x86-64 JIT of 6.12 and later); index and count are compared unsigned; it passes r1 (the context) on, r2 … r5 = 0.
//  · may_goto: each invocation of a function has one budget of 8,388,608 for all its may_goto together; at 0 the jump is taken.
//  · before a helper with `callsBack` the executor stores its r10 (as offset) in the framePointer cell; vm/call-back.ts starts the callback's frame below it.
//  · LD_ABS / LD_IND that fail leave the function with r0 = 0.
//  · `parts.checked` (raw programs only): loads, stores and atomics outside both ranges are Fault 'memory'; a bpf-to-bpf call whose new frame
//    would begin below `checked.stack.start` is Fault 'call'. vm/raw-program.ts refuses
//    unknown opcodes, wild jumps and helper calls before it gives a raw program to an executor.

import type { VerifiedProgram } from '../insn/verified-program.ts';
import type { HelperHost, HelperImpl } from './host.ts';
import type { KernelMemory } from './memory.ts';

/** A map as executors see it. `header` is the offset of its `MAP_HEADER` in memory: the address that LDDW of a map loads. */
export interface MapRuntime {
  readonly id: number;
  readonly header: number;
  readonly mapType: number;
  /** Where a direct value address (BPF_PSEUDO_MAP_VALUE) points: the first value's offset, or undefined for maps without one. */
  readonly valuesOffset: number | undefined;
  readonly ops: MapOps;
  /** Ring buffers only. bpf_ringbuf_submit and _discard get just the sample: the u32 at sample - 4 is the MAP_HEADER's offset (`host.mapAt`). */
  readonly ringbuf?: RingbufOps;
  /** DEVMAP, DEVMAP_HASH, CPUMAP: offset of the element {u32 ifindex or qsize, u32 program id}; XSKMAP: the socket's id. 0 when `key` has no target. */
  readonly redirectTarget?: (key: number) => number;
}

/** Operations of a ring buffer beyond MapOps. Offsets and errors as there; sizes in bytes below 2^32, flags over 31 bits as -1. */
export interface RingbufOps {
  /** Offset of a new record's `size` bytes, or 0 when there is no room. The record stays busy until it is submitted or discarded. */
  reserve(size: number): number;
  /** Ends a record that `reserve` gave; `flags` BPF_RB_…_WAKEUP. */
  submit(sample: number, flags: number): void;
  discard(sample: number, flags: number): void;
  /** Copies `size` bytes in as one record: 0, -EINVAL for unknown flags, -EAGAIN when there is no room. */
  output(data: number, size: number, flags: number): number;
  /** BPF_RB_AVAIL_DATA …: a u64; 0 for unknown flags. */
  query(flags: number): bigint;
}

/**
 * The operations of a map that a program can call; keys, values and results are memory offsets, 0 is NULL, errors are negative errno.
 * Each is an export of the map's own wasm module, so both executors (and the JIT by direct import) call the same code.
 * `flags` that don't fit in 31 bits are passed as -1, which every operation refuses with -EINVAL.
 */
export interface MapOps {
  lookup(key: number): number;
  update(key: number, value: number, flags: number): number;
  delete(key: number): number;
  push(value: number, flags: number): number;
  pop(value: number): number;
  peek(value: number): number;
  lookupPercpu(key: number, cpu: number): number;
  /**
   * The next element for bpf_for_each_map_elem. `cursor` is the offset of 16 zeroed bytes that the map keeps its place in between calls (they also hold an
   * array's key), so deleting elements on the way does what the kernel's walk does. Writes the key's offset (u32) to `keyOut`, returns the value's offset, 0 at the end.
   */
  walk(cursor: number, keyOut: number): number;
}

/** What a kernel gives each program it runs. */
export interface ExecEnv {
  readonly memory: KernelMemory;
  readonly host: HelperHost;
  /** By helper id; a call of one that is absent was refused when the program was prepared (NotSupportedError names it). */
  readonly helpers: ReadonlyMap<number, HelperImpl>;
  /** As `parts.maps` of the program. */
  readonly maps: readonly MapRuntime[];
  /** Mutable i32: offset of the running CPU's area. Map modules and programs import it. */
  readonly cpu: WebAssembly.Global;
  /** One table of functions per kernel and worker: map operations, program entries, callbacks. */
  readonly table: FunctionTable;
  /** Charge fuel from the CPU's cell; off, the code has no fuel checks at all. */
  readonly fuel: boolean;
}

/** The kernel's table of functions. With the interpreter, slots hold JavaScript closures; with the JIT, wasm functions, also in `wasm`. */
export interface FunctionTable {
  readonly wasm: WebAssembly.Table;
  /** Takes a free slot (never 0). */
  allocate(count: number): number;
  release(slot: number, count: number): void;
  set(slot: number, fn: ProgramFunction): void;
  get(slot: number): ProgramFunction | undefined;
}

/** A program's function as JavaScript sees it: r1 … r5 and the offset that becomes r10; returns r0. bigint as wasm gives it (signed or not). */
export type ProgramFunction = (r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint, framePointer: number) => bigint;

/** A program ready to run on one CPU at a time. */
export interface Executable {
  /** The slot of its entry in the table, for PROG_ARRAY elements. */
  readonly entrySlot: number;
  /**
   * Runs from `ctx` (an offset, 0 for no context), r2 = `r2` (u32; 0 but for raw programs); returns r0's low 32 bits, unsigned.
   * All 64 bits stand in the CPU's `result` cell. Throws Fault.
   */
  run(ctx: number, r2?: number): number;
  /** Gives its slots back. */
  dispose(): void;
}

/** The interpreter or the JIT. Throws NotSupportedError where it can't run something that was verified. */
export interface Executor {
  readonly name: 'interp' | 'jit';
  prepare(prog: VerifiedProgram, env: ExecEnv): Executable;
}
