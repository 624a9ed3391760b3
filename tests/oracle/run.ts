// Runs an oracle case on a simulated kernel as test_verifier ran it on Linux 6.18: its maps made and filled, the program loaded through bpf(), test-run on each packet.
// Invariant: only what the public system call offers is used, so loading, maps and hooks are under test too.
// Source: ../shared/oracle/README.md and map-kinds.json.

import { assemble } from '../../src/asm/assemble.ts';
import { encodeInsns } from '../../src/insn/encode.ts';
import { SimKernel } from '../../src/kernel/sim-kernel.ts';
import type { MapCreateAttr } from '../../src/spec/syscall.ts';
import { fromHex, viewOf } from '../../src/util/bytes.ts';
import { BpfkitError, InternalError } from '../../src/util/errors.ts';
import { caseProgram, readMapBtf, type MapKind, type OracleCase } from './cases.ts';

export type Engine = 'jit' | 'interp';

/** The return value of each run, or why there is none: the typed error's text. */
export type RunAnswer = { readonly retvals: readonly number[] } | { readonly error: string };

/** test_verifier's "some pointer": whatever comes back is right. */
export const POINTER_VALUE = 13303370;

/** Entries of the two PROG_ARRAYs (map-kinds.json, "progs"): the index of the program that returns 42; 1 loops on itself, 2 returns 24. */
const RETURNS_42_AT: Readonly<Record<string, number>> = { prog1: 0, prog2: 7 };

/** Loads and runs one case in a kernel of its own. Errors that aren't typed are thrown on. */
export function runCase(c: OracleCase, kinds: ReadonlyMap<string, MapKind>, engine: Engine, shared = false): RunAnswer {
  const kernel = new SimKernel({ engine, shared });
  try {
    const run = new CaseRun(kernel, c, kinds);
    return { retvals: run.retvals() };
  } catch (error) {
    if (!(error instanceof BpfkitError) || error instanceof InternalError) throw error;
    return { error: error.message };
  }
}

class CaseRun {
  readonly #kernel: SimKernel;
  readonly #case: OracleCase;
  readonly #kinds: ReadonlyMap<string, MapKind>;
  readonly #fds = new Map<string, number>();
  #btfFd: number | undefined;

  constructor(kernel: SimKernel, c: OracleCase, kinds: ReadonlyMap<string, MapKind>) {
    this.#kernel = kernel;
    this.#case = c;
    this.#kinds = kinds;
  }

  retvals(): number[] {
    const program = caseProgram(this.#case, (kind) => this.#fd(kind));
    const prog_fd = this.#load(encodeInsns(program.insns));
    return (this.#case.retvals ?? []).map(({ data }) => this.#kernel.progTestRun({ prog_fd, data_in: bytesOf(data) }).retval);
  }

  #load(insns: Uint8Array): number {
    const { prog_type, expected_attach_type, load_flags: prog_flags } = this.#case;
    return this.#kernel.progLoad({ prog_type, expected_attach_type, prog_flags, insns, license: 'GPL' }).fd;
  }

  #fd(name: string): number {
    const known = this.#fds.get(name);
    if (known !== undefined) return known;
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw new InternalError(`no map kind ${name}`);
    const fd = this.#kernel.mapCreate(this.#attr(kind));
    this.#fds.set(name, fd);
    this.#fill(name, kind, fd);
    return fd;
  }

  #attr(kind: MapKind): MapCreateAttr {
    const inner = kind.inner === undefined ? {} : { inner_map_fd: this.#create(kind.inner) };
    const btf = kind.btf_value === 0 ? {} : { btf_fd: this.#btf(), btf_key_type_id: kind.btf_key, btf_value_type_id: kind.btf_value };
    return {
      map_type: kind.type, key_size: kind.key_size, value_size: kind.value_size, max_entries: kind.max_entries, map_flags: kind.flags, ...inner, ...btf,
    };
  }

  #create(kind: NonNullable<MapKind['inner']>): number {
    return this.#kernel.mapCreate({ map_type: kind.type, key_size: kind.key_size, value_size: kind.value_size, max_entries: kind.max_entries });
  }

  #btf(): number {
    this.#btfFd ??= this.#kernel.btfLoad({ btf: readMapBtf() });
    return this.#btfFd;
  }

  #fill(name: string, kind: MapKind, fd: number): void {
    if (kind.elem0 !== undefined) this.#kernel.mapUpdateElem({ map_fd: fd, key: u32(0), value: bytesOf(kind.elem0) });
    const simple = RETURNS_42_AT[name];
    if (simple !== undefined) this.#fillPrograms(fd, simple);
  }

  #fillPrograms(fd: number, simple: number): void {
    const put = (index: number, text: string): void => {
      const prog = this.#load(encodeInsns(assemble(text, { maps: { table: fd } }).insns));
      this.#kernel.mapUpdateElem({ map_fd: fd, key: u32(index), value: u32(prog) });
    };
    put(simple, 'r0 = 42\nexit');
    put(1, 'r3 = 1\nr2 = map[table]\ncall tail_call\nr0 = 41\nexit');
    put(2, 'r0 = 24\nexit');
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new InternalError('bad hex in the oracle');
  return bytes;
}
