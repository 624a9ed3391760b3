// One kernel's side of a differential run, simulated or real, through the BpfSyscall seam: makes FUZZ_MAPS, loads a generated program,
// runs it on its packet and reads everything back. Invariant: the same calls in the same order on every kernel.

import { verdictMessage } from '../../../cli/log-stats.ts';
import { encodeBtf } from '../../../src/btf/encode.ts';
import { encodeInsns } from '../../../src/insn/encode.ts';
import { isLddw, isPseudoCall, isPseudoFunc } from '../../../src/insn/fields.ts';
import type { Insn } from '../../../src/insn/insn.ts';
import { BPF_ALU64, BPF_EXIT, BPF_JMP, BPF_MOV, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../../../src/spec/opcodes.ts';
import type { BpfSyscall, ProgLoadAttr } from '../../../src/spec/syscall.ts';
import { BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO, BTF_KIND_INT } from '../../../src/spec/btf.ts';
import { SimKernel } from '../../../src/kernel/sim-kernel.ts';
import { BpfSyscallError, NotSupportedError } from '../../../src/util/errors.ts';
import { FUZZ_MAPS, mapIndex } from './maps.ts';
import type { GeneratedProgram } from './generate.ts';


/** What a kernel said to a program; `log` is the verifier's. */
export type LoadAnswer =
  | { readonly verdict: 'accept'; readonly fd: number; readonly log: string }
  | { readonly verdict: 'reject'; readonly errno: number; readonly message: string; readonly log: string };

/** What a run left behind; buffers as read, `errno` when the run itself was refused. */
export interface RunAnswer {
  readonly errno: number;
  readonly retval: number;
  readonly packet: Uint8Array;
}

const CALL = 0x85;
const TAIL_CALL = 12;
/** Class and mode of an instruction code, and LD with BPF_ABS and BPF_IND. */
const CLASS_MODE = 0xe7;
/** Beyond any descriptor of any process here. */
const NO_FD = 1_000_000;
const LD_ABS = 0x20;
const LD_IND = 0x40;

/** A tail call that succeeds, or a packet load that fails, leaves its function without an exit instruction. */
const mayReturnAbnormally = ({ code, src, imm }: Insn): boolean =>
  (code === CALL && src === 0 && imm === TAIL_CALL) || (code & CLASS_MODE) === LD_ABS || (code & CLASS_MODE) === LD_IND;

/** A bpf-to-bpf call, or the address of a callback. */
const entersFunction = (insn: Insn): boolean => isPseudoCall(insn) || isPseudoFunc(insn);

/**
 * Programs with an abnormal return (tail call, LD_ABS, LD_IND) and calls or callbacks are never given to the machine's kernel: 6.18.44's verifier
 * follows such a return back into the caller, loses count of frames when it tracks precision there, and writes out of bounds (an oops in
 * __mark_chain_precision; tail call: seed 2417, LD_ABS: seed 950001421). Which of them crash is not told apart: too many are held back, not too few.
 */
export const crashesHosts = (program: Pick<GeneratedProgram, 'insns'>): boolean =>
  program.insns.some(mayReturnAbnormally) && program.insns.some(entersFunction);

/** The maps that one program names, made on first use on one kernel; a program for the prog array is loaded with it. */
export class KernelSide {
  readonly sys: BpfSyscall;
  readonly #progType: number;
  readonly #mapFds = new Map<number, number>();
  readonly #progFds: number[] = [];
  #btfFd: number | undefined;
  constructor(sys: BpfSyscall, progType: number) {
    this.sys = sys;
    this.#progType = progType;
  }

  /** The descriptor of a map of FUZZ_MAPS, made and filled if need be; a number that no process has open when there is no such map. */
  #mapFd(index: number): number {
    const known = this.#mapFds.get(index);
    const map = FUZZ_MAPS[index];
    if (known !== undefined || map === undefined) return known ?? (NO_FD + index) | 0;
    const inner = map.inner === undefined ? {} : { inner_map_fd: this.#mapFd(map.inner) };
    const fd = this.sys.mapCreate({
      map_type: map.type, key_size: map.keySize, value_size: map.valueSize, max_entries: map.maxEntries, map_flags: map.flags,
      map_name: map.name.slice(0, 15), ...inner,
    });
    this.#mapFds.set(index, fd);
    this.#fill(fd, index);
    return fd;
  }

  #fill(fd: number, index: number): void {
    const put = (key: number[], value: Uint8Array): void => this.sys.mapUpdateElem({ map_fd: fd, key: Uint8Array.from(key), value });
    switch (FUZZ_MAPS[index]?.name) {
      case 'array_of_maps': return put([0, 0, 0, 0], u32(this.#mapFd(mapIndex('array'))));
      case 'hash_of_maps': return put([1, 0, 0, 0], u32(this.#mapFd(mapIndex('hash'))));
      case 'hash': return put([1, 0, 0, 0, 0, 0, 0, 0], new Uint8Array(16).fill(7));
      case 'lpm': return put([16, 0, 0, 0, 10, 0, 0, 1], new Uint8Array(8).fill(9));
      case 'prog_array': return put([1, 0, 0, 0], u32(this.#tailTarget()));
      default:
    }
  }

  /** Closes everything that was made. */
  close(): void {
    for (const fd of [...this.#progFds, ...[...this.#mapFds.values()].toReversed(), ...(this.#btfFd === undefined ? [] : [this.#btfFd])]) this.sys.close(fd);
  }

  /** Throws NotSupportedError rather than give a real kernel a program that crashes it. */
  load(program: GeneratedProgram, logLevel: number): LoadAnswer {
    if (!(this.sys instanceof SimKernel) && crashesHosts(program)) throw new NotSupportedError('asking a real kernel about a tail call or packet load beside bpf-to-bpf calls');
    const insns = program.insns.map((insn, i) => this.#withFd(insn, program.insns[i - 1]));
    try {
      const { fd, log } = this.sys.progLoad({
        prog_type: program.progType, insns: encodeInsns(insns), license: 'GPL', log_level: logLevel, log_size: 1 << 20, prog_flags: program.flags,
        ...this.#functionInfo(program.functions),
      });
      this.#progFds.push(fd);
      return { verdict: 'accept', fd, log };
    } catch (error) {
      if (!(error instanceof BpfSyscallError)) throw error;
      return { verdict: 'reject', errno: error.errno, message: verdictMessage(error.log), log: error.log };
    }
  }

  run(fd: number, packet: Uint8Array, repeat = 1): RunAnswer {
    const out = new Uint8Array(4096);
    try {
      const answer = this.sys.progTestRun({ prog_fd: fd, data_in: packet, data_out: out, repeat });
      return { errno: 0, retval: answer.retval, packet: out.slice(0, answer.data_size_out) };
    } catch (error) {
      if (!(error instanceof BpfSyscallError)) throw error;
      return { errno: error.errno, retval: 0, packet: new Uint8Array(0) };
    }
  }

  /** Everything in the maps, as text by map name: sorted entries, or popped elements for queues. */
  contents(): Map<string, string> {
    const all = new Map<string, string>();
    for (const [index, fd] of this.#mapFds) {
      const map = FUZZ_MAPS[index];
      if (map === undefined) continue;
      if (map.keySize > 0 && !SKIPPED.has(map.name)) all.set(map.name, this.#entries(fd, map.keySize, valueBytes(map, this.sys.possibleCpus)));
      if (map.name === 'queue' || map.name === 'stack') all.set(map.name, this.#popAll(fd, map.valueSize));
    }
    return all;
  }

  #entries(fd: number, keySize: number, valueSize: number): string {
    const lines: string[] = [];
    let key: Uint8Array | undefined;
    for (let guard = 0; guard < 1000; guard++) {
      const next = new Uint8Array(keySize);
      try {
        this.sys.mapGetNextKey({ map_fd: fd, key, next_key: next });
      } catch {
        break;
      }
      key = next;
      const value = new Uint8Array(valueSize);
      try {
        this.sys.mapLookupElem({ map_fd: fd, key, value });
        lines.push(`${hex(key)}=${hex(value)}`);
      } catch (error) {
        if (!(error instanceof BpfSyscallError)) throw error;
        lines.push(`${hex(key)}=errno ${error.errno}`);
      }
    }
    return lines.sort().join(' ');
  }

  #popAll(fd: number, valueSize: number): string {
    const values: string[] = [];
    for (let guard = 0; guard < 100; guard++) {
      const value = new Uint8Array(valueSize);
      try {
        this.sys.mapLookupAndDeleteElem({ map_fd: fd, value });
      } catch {
        break;
      }
      values.push(hex(value));
    }
    return values.join(' ');
  }

  #withFd(insn: Insn, before: Insn | undefined): Insn {
    const second = before !== undefined && isLddw(before) && before.src <= 6;
    if (second || !isLddw(insn) || (insn.src !== BPF_PSEUDO_MAP_FD && insn.src !== BPF_PSEUDO_MAP_VALUE)) return insn;
    return { ...insn, imm: this.#mapFd(insn.imm) };
  }

  /** BTF and func_info for programs of several functions; a function is `int f(void)` to the kernel. */
  #functionInfo(functions: readonly number[]): Partial<ProgLoadAttr> {
    if (functions.length < 2) return {};
    this.#btfFd ??= this.sys.btfLoad({ btf: FUNCTION_BTF });
    const records = new Uint32Array(functions.flatMap((start, i) => [start, i === 0 ? MAIN_TYPE_ID : SUBPROG_TYPE_ID]));
    return { prog_btf_fd: this.#btfFd, func_info_rec_size: 8, func_info: new Uint8Array(records.buffer) };
  }

  /** `return 42` of the program's type, element 1 of the prog array. */
  #tailTarget(): number {
    const insns = [{ code: BPF_ALU64 | BPF_MOV, dst: 0, src: 0, off: 0, imm: 42 }, { code: BPF_JMP | BPF_EXIT, dst: 0, src: 0, off: 0, imm: 0 }];
    const { fd } = this.sys.progLoad({ prog_type: this.#progType, insns: encodeInsns(insns), license: 'GPL' });
    this.#progFds.push(fd);
    return fd;
  }
}

/** Maps whose contents are not compared: prog ids and inner map ids differ by kernel; LRU victims may differ; redirect maps are filled by nobody. */
const SKIPPED = new Set(['prog_array', 'array_of_maps', 'hash_of_maps', 'perf', 'devmap', 'devmap_hash', 'cpumap', 'xskmap', 'lru_hash', 'lru_percpu']);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

function valueBytes(map: { readonly name: string; readonly valueSize: number }, cpus: number): number {
  return map.name.includes('percpu') ? Math.ceil(map.valueSize / 8) * 8 * cpus : map.valueSize;
}

const MAIN_TYPE_ID = 3;
const SUBPROG_TYPE_ID = 4;
const FUNCTION_BTF = encodeBtf([
  { kind: BTF_KIND_INT, name: 'int', size: 4, encoding: 1, offset: 0, bits: 32 },
  { kind: BTF_KIND_FUNC_PROTO, name: '', type: 1, params: [] },
  { kind: BTF_KIND_FUNC, name: 'main_prog', type: 2, linkage: 1 },
  { kind: BTF_KIND_FUNC, name: 'sub', type: 2, linkage: 0 },
]);
