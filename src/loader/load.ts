// Loads an opened object into a kernel, simulated or real: BTF, maps, then programs, each step as libbpf 1.x takes it.
// Invariant: maps and BTF are created when first needed, so that one program can be verified on its own without the rest of the object;
// `close` releases every file descriptor, and so does a failed load.

import type { Btf } from '../btf/btf.ts';
import { CoreRelocator } from '../btf/relo-core.ts';
import { encodeInsns } from '../insn/encode.ts';
import type { Insn, Program } from '../insn/insn.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../spec/opcodes.ts';
import { BPF_OBJ_NAME_LEN } from '../spec/limits.ts';
import { BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_UNSPEC } from '../spec/prog-types.ts';
import type { BpfSyscall, ProgLoadAttr } from '../spec/syscall.ts';
import { BpfSyscallError, LoadError, NotSupportedError } from '../util/errors.ts';
import { defined } from '../util/assert.ts';
import { attachBtfId } from './attach-btf.ts';
import { sanitizeBtf } from './btf-sanitize.ts';
import { applyCoreRelos } from './core.ts';
import { createMap, fillGlobals, overrideMap, u32Bytes, type MapOverride } from './create-map.ts';
import { packFuncInfo, packLineInfo } from './debug-info.ts';
import { GlobalVariables, type GlobalValue } from './globals.ts';
import { openKernelBtf, type KernelBtf } from './kernel-btf.ts';
import { findProgram, type MapSpec, type ObjectSpec, type ProgramRelocation, type ProgramSpec } from './object-spec.ts';

/** How to load. */
export interface LoadOptions {
  /** Names of the programs to load; by default those whose section has no `?`. */
  readonly programs?: readonly string[];
  /** BPF_PROG_LOAD's log_level: 1 or 2, plus 4 for statistics; 0 (default) asks for a log only when a program is refused. */
  readonly logLevel?: number;
  /** Bytes of the log buffer. */
  readonly logSize?: number;
  /** Types of the target kernel, for CO-RE and for programs that attach by BTF. */
  readonly kernelBtf?: KernelBtf;
  /** Changes to maps, by name. */
  readonly maps?: Readonly<Record<string, MapOverride>>;
  /** Values of global variables, by name; constants (.rodata) included. */
  readonly globals?: Readonly<Record<string, GlobalValue>>;
}

/** A map of a loaded object. */
export interface LoadedMap { readonly name: string; readonly spec: MapSpec; readonly fd: number }

/** A program of a loaded object; `log` is '' unless asked for. */
export interface LoadedProgram { readonly name: string; readonly spec: ProgramSpec; readonly fd: number; readonly log: string }

/** One object being loaded: makes maps and program attributes on demand. */
export class ObjectLoader {
  readonly spec: ObjectSpec;
  readonly syscall: BpfSyscall;
  readonly globals: GlobalVariables;
  readonly #options: LoadOptions;
  readonly #maps = new Map<string, LoadedMap>();
  readonly #fds: number[] = [];
  #btfFd: number | undefined;
  #kernelBtf: { readonly btf: Btf | undefined } | undefined;
  #relocator: CoreRelocator | undefined;

  /** Throws LoadError when an option names what the object doesn't have, or gives a variable a value that it can't hold. */
  constructor(spec: ObjectSpec, syscall: BpfSyscall, options: LoadOptions = {}) {
    this.spec = spec;
    this.syscall = syscall;
    this.#options = options;
    this.globals = new GlobalVariables(spec, options.globals ?? {});
    for (const name of Object.keys(options.maps ?? {})) if (!spec.maps.some((m) => m.name === name)) throw new LoadError(`no map '${name}' in the object${listed(spec.maps)}`);
  }

  /** The object's BTF in the kernel; 0 when it has none or the kernel takes none of it. */
  btfFd(): number {
    this.#btfFd ??= this.#loadBtf();
    return this.#btfFd;
  }

  #loadBtf(): number {
    if (this.spec.btf === undefined) return 0;
    for (const level of ['externs', 'basic'] as const) {
      try {
        return this.#keep(this.syscall.btfLoad({ btf: sanitizeBtf(this.spec.btf, level) }));
      } catch (error) {
        if (!(error instanceof BpfSyscallError)) throw error;
      }
    }
    return 0;
  }

  #keep(fd: number): number {
    this.#fds.push(fd);
    return fd;
  }

  /** The map called `name`, created and filled on first use. Throws LoadError, BpfSyscallError. */
  map(name: string): LoadedMap {
    const known = this.#maps.get(name);
    if (known !== undefined) return known;
    const spec = this.spec.maps.find((m) => m.name === name);
    if (spec === undefined) throw new LoadError(`no map '${name}' in the object${listed(this.spec.maps)}`);
    const changed = overrideMap(spec, this.#options.maps?.[name]);
    const map = { name, spec: changed, fd: this.#keep(createMap(changed, this.syscall, this.btfFd())) };
    this.#maps.set(name, map);
    this.#fill(map);
    return map;
  }

  #fill({ name, spec, fd }: LoadedMap): void {
    if (spec.contents !== undefined) fillGlobals(spec, this.globals.contents(name), this.syscall, fd);
    for (const slot of spec.slots) {
      if (slot.target === 'map') this.syscall.mapUpdateElem({ map_fd: fd, key: u32Bytes(slot.index), value: u32Bytes(this.map(slot.name).fd), flags: 0n });
    }
  }

  /** Maps created so far. */
  maps(): ReadonlyMap<string, LoadedMap> {
    return this.#maps;
  }

  /** The target kernel's types, opened on first use. */
  kernelBtf(): Btf | undefined {
    this.#kernelBtf ??= { btf: openKernelBtf(this.#options.kernelBtf) };
    return this.#kernelBtf.btf;
  }

  /** A program's final instructions: CO-RE applied, map references as file descriptors (creating the maps). */
  insns(prog: ProgramSpec): Insn[] {
    let insns: Insn[] = prog.insns.slice();
    if (prog.coreRelos.length > 0) {
      this.#relocator ??= new CoreRelocator(defined(this.spec.btf, 'BTF of an object with CO-RE relocations'), this.kernelBtf());
      insns = applyCoreRelos(prog, insns, this.#relocator);
    }
    for (const relocation of prog.relocations) this.#relocate(prog, insns, relocation);
    return insns;
  }

  #relocate(prog: ProgramSpec, insns: Insn[], r: ProgramRelocation): void {
    if (r.kind === 'extern') throw new NotSupportedError(`extern symbol '${r.name}'${r.section === '' ? '' : ` of ${r.section}`} (program '${prog.name}', instruction ${r.insnIdx})`);
    const [first, second] = [insns[r.insnIdx], insns[r.insnIdx + 1]];
    if (first === undefined || second === undefined) throw new LoadError(`program '${prog.name}': relocation of instruction ${r.insnIdx} of ${insns.length}`);
    const imm = this.map(r.map).fd;
    insns[r.insnIdx] = { ...first, src: r.kind === 'map' ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE, imm };
    insns[r.insnIdx + 1] = { ...second, imm: r.kind === 'map' ? 0 : r.offset };
  }

  /** A program as the verifier takes it. Throws LoadError, NotSupportedError (outside symbols), BpfSyscallError (a map that can't be created). */
  program(prog: ProgramSpec): Program {
    const insns = this.insns(prog);
    const typed = this.btfFd() > 0;
    return {
      name: prog.name, type: prog.type, expectedAttachType: prog.expectedAttachType, insns, license: this.spec.license, flags: prog.flags,
      funcInfo: typed ? prog.funcInfo : [], lineInfo: typed ? prog.lineInfo : [],
    };
  }

  /** BPF_PROG_LOAD's attributes for a program. Throws as `program`, and LoadError when its type or its attach target is unknown. */
  progLoadAttr(prog: ProgramSpec): ProgLoadAttr {
    if (prog.type === BPF_PROG_TYPE_UNSPEC) throw new LoadError(`program '${prog.name}': section '${prog.section}' does not say what type of program it is`);
    if (prog.type === BPF_PROG_TYPE_STRUCT_OPS) throw new NotSupportedError(`struct_ops (program '${prog.name}')`);
    const program = this.program(prog);
    const { logLevel = 0, logSize } = this.#options;
    return {
      prog_type: program.type, insns: encodeInsns(program.insns), license: program.license, prog_name: prog.name.slice(0, BPF_OBJ_NAME_LEN - 1),
      expected_attach_type: program.expectedAttachType, prog_flags: program.flags, kern_version: this.spec.kernelVersion, log_level: logLevel,
      ...(logSize === undefined ? {} : { log_size: logSize }), ...this.#debugInfo(program), ...(prog.attachBtf ? { attach_btf_id: attachBtfId(prog, this.kernelBtf()) } : {}),
    };
  }

  #debugInfo(program: Program): Partial<ProgLoadAttr> {
    if (program.funcInfo.length === 0) return {};
    const lines = program.lineInfo.length === 0 ? {} : { line_info_rec_size: 16, line_info: packLineInfo(program.lineInfo) };
    return { prog_btf_fd: this.btfFd(), func_info_rec_size: 8, func_info: packFuncInfo(program.funcInfo), ...lines };
  }

  /** Loads one program. Throws BpfSyscallError with the verifier's log when it is refused; and as `progLoadAttr`. */
  load(prog: ProgramSpec): LoadedProgram {
    const { fd, log } = this.#progLoad(this.progLoadAttr(prog));
    return { name: prog.name, spec: prog, fd: this.#keep(fd), log };
  }

  /** As libbpf: a refused program is loaded again with a log, if none was asked for. */
  #progLoad(attr: ProgLoadAttr): { fd: number; log: string } {
    try {
      return this.syscall.progLoad(attr);
    } catch (error) {
      if (attr.log_level !== 0 || !(error instanceof BpfSyscallError)) throw error;
      return this.syscall.progLoad({ ...attr, log_level: 1 });
    }
  }

  /** Puts loaded programs into the PROG_ARRAY slots that name them. Slots of programs that were not loaded stay empty. */
  fillProgSlots(progs: ReadonlyMap<string, LoadedProgram>): void {
    for (const map of this.#maps.values()) {
      for (const slot of map.spec.slots) {
        const prog = slot.target === 'prog' ? progs.get(slot.name) : undefined;
        if (prog !== undefined) this.syscall.mapUpdateElem({ map_fd: map.fd, key: u32Bytes(slot.index), value: u32Bytes(prog.fd), flags: 0n });
      }
    }
  }

  /** Closes every file descriptor that was made. */
  close(): void {
    for (const fd of this.#fds.splice(0)) this.syscall.close(fd);
    this.#maps.clear();
    this.#btfFd = undefined;
  }
}

const listed = (items: readonly { readonly name: string }[]): string => (items.length === 0 ? '' : `; there are: ${items.map((m) => m.name).join(', ')}`);

/** A loaded object: programs and maps by name, typed global variables. */
export interface LoadedObject {
  readonly spec: ObjectSpec;
  readonly progs: ReadonlyMap<string, LoadedProgram>;
  readonly maps: ReadonlyMap<string, LoadedMap>;
  /** A global variable's present value, read from its map. Throws LoadError when there is no such variable. */
  getGlobal(name: string): unknown;
  /** Sets a global variable in its map (BpfSyscallError EPERM for constants, which are frozen). */
  setGlobal(name: string, value: GlobalValue): void;
  close(): void;
}

function selectedPrograms(spec: ObjectSpec, names: readonly string[] | undefined): ProgramSpec[] {
  if (names === undefined) return spec.programs.filter((p) => p.autoload);
  return names.map((name) => {
    const prog = findProgram(spec, name);
    if (prog === undefined) throw new LoadError(`no program '${name}' in the object${listed(spec.programs)}`);
    return prog;
  });
}

/** Loads an object: all its maps, and the programs asked for. On any error everything made so far is closed again. */
export function loadObject(spec: ObjectSpec, syscall: BpfSyscall, options: LoadOptions = {}): LoadedObject {
  const loader = new ObjectLoader(spec, syscall, options);
  try {
    const selected = selectedPrograms(spec, options.programs);
    for (const map of spec.maps) loader.map(map.name);
    const progs = new Map(selected.map((prog) => [prog.name, loader.load(prog)]));
    loader.fillProgSlots(progs);
    return {
      spec, progs, maps: loader.maps(), close: () => loader.close(),
      getGlobal: (name) => loader.globals.read(name, syscall, (map) => loader.map(map).fd),
      setGlobal: (name, value) => loader.globals.write(name, value, syscall, (map) => loader.map(map).fd),
    };
  } catch (error) {
    loader.close();
    throw error;
  }
}
