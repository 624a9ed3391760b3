// Makes one program out of a function and all that it calls: subprograms are appended behind it, each once, in order of first use,
// and the offsets of calls and function addresses are rewritten. Each program has its own copy.
// Source: libbpf's bpf_object__reloc_code; the order is the same, so that instruction numbers in logs are too.

import type { FuncInfo, Insn, LineInfo } from '../insn/insn.ts';
import { BPF_CALL, BPF_DW, BPF_IMM, BPF_JMP, BPF_LD, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC } from '../spec/opcodes.ts';
import { SHF_EXECINSTR, SHN_UNDEF, STB_WEAK, STT_FUNC, STT_SECTION } from '../elf/constants.ts';
import type { ElfSection, ElfSymbol } from '../elf/elf.ts';
import { ElfError, NotSupportedError } from '../util/errors.ts';
import { sectionOf, symbolName, type BpfElf } from './elf-object.ts';
import { functionAt, type BpfFunction, type CodeRelocation, type FunctionTable } from './functions.ts';
import type { DefinedMap } from './btf-maps.ts';
import type { ProgramCoreRelo, ProgramRelocation, SubprogSpec } from './object-spec.ts';

/** What linking needs to know of the object. */
export interface LinkContext {
  readonly object: BpfElf;
  readonly functions: FunctionTable;
  readonly definedMaps: readonly DefinedMap[];
  /** Slots that all programs of the object may have together; counted down. */
  budget: { left: number };
}

/** The linked parts of one program. */
export interface LinkedProgram {
  readonly insns: Insn[];
  readonly subprogs: SubprogSpec[];
  readonly relocations: ProgramRelocation[];
  readonly coreRelos: ProgramCoreRelo[];
  readonly funcInfo: FuncInfo[];
  readonly lineInfo: LineInfo[];
}

const isLddw = (insn: Insn): boolean => insn.code === (BPF_LD | BPF_IMM | BPF_DW);
const isCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL);
const isCode = (section: ElfSection): boolean => (section.flags & SHF_EXECINSTR) !== 0;

class Linker {
  readonly out: LinkedProgram = { insns: [], subprogs: [], relocations: [], coreRelos: [], funcInfo: [], lineInfo: [] };
  readonly #context: LinkContext;
  readonly #bases = new Map<BpfFunction, number>();

  constructor(context: LinkContext) {
    this.#context = context;
  }

  /** Appends a function's code and records; returns where it starts. */
  append(fn: BpfFunction): number {
    const base = this.out.insns.length;
    this.#context.budget.left -= fn.insns.length;
    if (this.#context.budget.left < 0) throw new ElfError(`program is too large with its subprograms (at '${fn.name}')`, fn.section.name, fn.section.offset);
    for (const insn of fn.insns) this.out.insns.push(insn);
    this.out.subprogs.push({ name: fn.name, insnOff: base, insnCnt: fn.insns.length });
    for (const r of fn.coreRelos) this.out.coreRelos.push({ ...r, insnIdx: base + r.insnIdx });
    for (const r of fn.funcInfo) this.out.funcInfo.push({ ...r, insnOff: base + r.insnOff });
    for (const r of fn.lineInfo) this.out.lineInfo.push({ ...r, insnOff: base + r.insnOff });
    return base;
  }

  /** Resolves everything in a function that was appended at `base`, appending what it calls. */
  link(fn: BpfFunction, base: number): void {
    const byInsn = new Map(fn.relocations.map((r) => [r.insnIdx, r]));
    for (let i = 0; i < fn.insns.length; i++) {
      const insn = fn.insns[i] as Insn;
      const relocation = byInsn.get(i);
      if (relocation !== undefined) this.#relocate(fn, base, i, insn, relocation);
      else if (isCall(insn) && insn.src === BPF_PSEUDO_CALL) this.#callTo(fn, base + i, fn.section, fn.start + i + insn.imm + 1);
      if (isLddw(insn)) i++;
    }
  }

  #relocate(fn: BpfFunction, base: number, i: number, insn: Insn, relocation: CodeRelocation): void {
    const { symbol } = relocation;
    const { object } = this.#context;
    if (!isLddw(insn) && !isCall(insn)) throw new ElfError(`relocation against '${symbolName(object, symbol)}' of instruction 0x${insn.code.toString(16)}, neither call nor 64-bit load`, relocation.table, relocation.fileOffset);
    if (isLddw(insn) && i + 1 >= fn.insns.length) throw new ElfError('a 64-bit load is cut off by the end of its function', fn.section.name, relocation.fileOffset);
    if (symbol.section === SHN_UNDEF) return this.#extern(base + i, relocation);
    const section = sectionOf(object, symbol);
    if (section === undefined) throw new ElfError(`relocation against '${symbol.name}' in special section 0x${symbol.section.toString(16)}; forgot to initialise a global variable?`, relocation.table, relocation.fileOffset);
    if (isCall(insn)) return this.#relocateCall(fn, base + i, insn, relocation, section);
    if (isCode(section)) return this.#functionAddress(base + i, insn, relocation, section);
    return this.#mapReference(base + i, insn, relocation, section);
  }

  #extern(insnIdx: number, { symbol, table, fileOffset }: CodeRelocation): void {
    if (symbol.name === '') throw new ElfError('relocation against no symbol', table, fileOffset);
    const section = externSection(this.#context.object, symbol);
    this.out.relocations.push({ kind: 'extern', insnIdx, name: symbol.name, section, weak: symbol.bind === STB_WEAK });
  }

  /** Global functions: the symbol's value counts, imm is -1; static ones: a section symbol, imm + 1 is the slot. */
  #relocateCall(fn: BpfFunction, at: number, insn: Insn, relocation: CodeRelocation, section: ElfSection): void {
    const { symbol, addend } = relocation;
    if (insn.src !== BPF_PSEUDO_CALL) throw new ElfError(`call of '${symbolName(this.#context.object, symbol)}' is not a bpf-to-bpf call`, relocation.table, relocation.fileOffset);
    if (!isCode(section) || symbol.value % 8 !== 0) throw new ElfError(`call of '${symbolName(this.#context.object, symbol)}', which is not code`, relocation.table, relocation.fileOffset);
    this.#callTo(fn, at, section, symbol.value / 8 + insn.imm + 1 + addend / 8);
  }

  /** The address of a function (a callback): LDDW with src BPF_PSEUDO_FUNC and a relative offset like a call's. */
  #functionAddress(at: number, insn: Insn, { symbol, addend, table, fileOffset }: CodeRelocation, section: ElfSection): void {
    const offset = symbol.value + insn.imm + addend;
    const target = offset % 8 === 0 ? this.#functionStarting(section, offset / 8) : undefined;
    if (target === undefined || (symbol.type !== STT_FUNC && symbol.type !== STT_SECTION)) throw new ElfError(`address of '${symbolName(this.#context.object, symbol)}' + ${insn.imm} is not a function`, table, fileOffset);
    const base = this.#baseOf(target);
    this.#patch(at, { ...insn, src: BPF_PSEUDO_FUNC, imm: base - at - 1 });
  }

  #mapReference(at: number, insn: Insn, relocation: CodeRelocation, section: ElfSection): void {
    const { object, definedMaps } = this.#context;
    const { symbol, addend, table, fileOffset } = relocation;
    const inPlace = symbol.type === STT_SECTION ? insn.imm : 0;
    if (section.index === object.maps?.index || section.index === object.legacyMaps?.index) {
      const offset = symbol.value + inPlace + addend;
      const map = definedMaps.find((m) => m.spec.section === section.name && m.offset === offset);
      if (map === undefined) throw new ElfError(`no map at offset ${offset} of '${section.name}'`, table, fileOffset);
      this.out.relocations.push({ kind: 'map', insnIdx: at, map: map.spec.name });
      return;
    }
    if (section.name === '.addr_space.1') throw new NotSupportedError(`variables in an arena ('${symbolName(object, symbol)}')`);
    if (!object.data.some((d) => d.section.index === section.index)) throw new ElfError(`relocation against '${symbolName(object, symbol)}' in section '${section.name}', which is neither code, data nor maps`, table, fileOffset);
    const offset = symbol.value + insn.imm + addend;
    if (offset < 0 || offset > 0x7fff_ffff) throw new ElfError(`address of '${symbolName(object, symbol)}' + ${insn.imm} is out of range`, table, fileOffset);
    this.out.relocations.push({ kind: 'map_value', insnIdx: at, map: section.name, offset });
  }

  #callTo(fn: BpfFunction, at: number, section: ElfSection, insn: number): void {
    const target = this.#functionStarting(section, insn);
    if (target === undefined) throw new ElfError(`'${fn.name}' calls slot ${insn} of '${section.name}', where no function starts`, fn.section.name, fn.section.offset + fn.start * 8);
    const base = this.#baseOf(target);
    this.#patch(at, { ...(this.out.insns[at] as Insn), imm: base - at - 1 });
  }

  #functionStarting(section: ElfSection, insn: number): BpfFunction | undefined {
    const found = functionAt(this.#context.functions.get(section.index) ?? [], insn);
    return found?.start === insn ? found : undefined;
  }

  #patch(at: number, insn: Insn): void {
    this.out.insns[at] = insn;
  }

  /** Where a subprogram starts in this program; it is appended, with what it calls, on first use. */
  #baseOf(target: BpfFunction): number {
    let base = this.#bases.get(target);
    if (base === undefined) {
      base = this.append(target);
      this.#bases.set(target, base);
      this.#depth++;
      if (this.#depth > 512) throw new ElfError(`more than 512 nested calls (at '${target.name}')`, target.section.name, target.section.offset);
      this.link(target, base);
      this.#depth--;
    }
    return base;
  }
  #depth = 0;
}

/** The section that BTF gives an extern (`.kconfig`, `.ksyms`), '' if it has none. */
function externSection(object: BpfElf, symbol: ElfSymbol): string {
  const { btf } = object;
  for (const section of ['.kconfig', '.ksyms']) {
    const id = btf?.findByName(section);
    if (btf === undefined || id === undefined) continue;
    const type = btf.type(id);
    if ('vars' in type && type.vars.some((v) => btf.name(v.type) === symbol.name)) return section;
  }
  return '';
}

/** Links one function into a whole program. Throws ElfError. */
export function linkProgram(context: LinkContext, fn: BpfFunction): LinkedProgram {
  const linker = new Linker(context);
  linker.link(fn, linker.append(fn));
  return linker.out;
}
