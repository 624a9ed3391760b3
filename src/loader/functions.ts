// The functions in an object's code sections, each with the relocations and debug records that lie in it.
// Invariant: a function covers whole instructions of one section, and functions don't overlap; every record belongs to one function,
// with offsets counted in slots from that function's start. Source: libbpf's bpf_object__add_programs, bpf_object__collect_prog_relos.

import type { CoreRelo } from '../btf/ext.ts';
import { decodeInsns, INSN_BYTES } from '../insn/decode.ts';
import type { FuncInfo, Insn, LineInfo } from '../insn/insn.ts';
import { STB_LOCAL, STT_FUNC } from '../elf/constants.ts';
import type { ElfSection, ElfSymbol } from '../elf/elf.ts';
import { R_BPF_64_32, R_BPF_64_64, R_BPF_NAMES, R_BPF_NONE } from '../spec/elf-bpf.ts';
import { ElfError } from '../util/errors.ts';
import { relocationsOf, type BpfElf } from './elf-object.ts';

/** A relocation of one instruction, with the symbol it names. */
export interface CodeRelocation { readonly insnIdx: number; readonly symbol: ElfSymbol; readonly addend: number; readonly fileOffset: number; readonly table: string }

/** A function as it lies in its section; offsets in its lists count slots from its start. */
export interface BpfFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** In .text: only ever part of other programs. */
  readonly isSubprog: boolean;
  readonly start: number;
  readonly end: number;
  readonly insns: readonly Insn[];
  readonly relocations: CodeRelocation[];
  readonly coreRelos: (CoreRelo & { readonly insnIdx: number })[];
  readonly funcInfo: FuncInfo[];
  readonly lineInfo: LineInfo[];
}

/** All functions, by section index, ascending by start. */
export type FunctionTable = ReadonlyMap<number, readonly BpfFunction[]>;

function checkSymbol(symbol: ElfSymbol, section: ElfSection): void {
  const at = section.offset + symbol.value;
  if (symbol.value % INSN_BYTES !== 0 || symbol.size % INSN_BYTES !== 0 || symbol.size === 0) throw new ElfError(`function '${symbol.name}': ${symbol.size} bytes at ${symbol.value} are no whole instructions`, section.name, at);
  if (symbol.value + symbol.size > section.size) throw new ElfError(`function '${symbol.name}' reaches beyond the section`, section.name, at);
  if (symbol.name === '') throw new ElfError('a function without name', section.name, at);
  if (symbol.bind === STB_LOCAL && section.name !== '.text') throw new ElfError(`function '${symbol.name}' is static; static programs are not possible`, section.name, at);
}

function functionsOf(object: BpfElf, section: ElfSection): BpfFunction[] {
  const symbols = object.elf.symbols.filter((s) => s.type === STT_FUNC && s.section === section.index).sort((a, b) => a.value - b.value);
  const functions: BpfFunction[] = [];
  let end = 0;
  for (const symbol of symbols) {
    checkSymbol(symbol, section);
    if (symbol.value < end) throw new ElfError(`function '${symbol.name}' overlaps '${functions.at(-1)?.name ?? ''}'`, section.name, section.offset + symbol.value);
    end = symbol.value + symbol.size;
    functions.push({
      name: symbol.name, section, isSubprog: section.name === '.text', start: symbol.value / INSN_BYTES, end: end / INSN_BYTES,
      insns: decodeInsns(section.data.subarray(symbol.value, end)), relocations: [], coreRelos: [], funcInfo: [], lineInfo: [],
    });
  }
  return functions;
}

/** The function that holds slot `insn` of its section; undefined between functions. */
export function functionAt(functions: readonly BpfFunction[], insn: number): BpfFunction | undefined {
  let [low, high] = [0, functions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((functions[middle] as BpfFunction).end <= insn) low = middle + 1;
    else high = middle;
  }
  const found = functions[low];
  return found !== undefined && insn >= found.start ? found : undefined;
}

function addRelocations(object: BpfElf, section: ElfSection, functions: readonly BpfFunction[]): void {
  for (const { relocation, symbol, table } of relocationsOf(object, section)) {
    if (relocation.type === R_BPF_NONE) continue;
    const fileOffset = section.offset + relocation.offset;
    if (relocation.type !== R_BPF_64_64 && relocation.type !== R_BPF_64_32) {
      throw new ElfError(`relocation ${R_BPF_NAMES.get(relocation.type) ?? relocation.type} of code`, table, fileOffset);
    }
    if (relocation.offset % INSN_BYTES !== 0 || relocation.offset >= section.size) throw new ElfError(`relocation at ${relocation.offset} is not at an instruction`, table, fileOffset);
    const insn = relocation.offset / INSN_BYTES;
    const owner = functionAt(functions, insn);
    owner?.relocations.push({ insnIdx: insn - owner.start, symbol, addend: Number(BigInt.asIntN(32, relocation.addend)), fileOffset, table });
  }
}

function addDebugRecords(object: BpfElf, section: ElfSection, functions: readonly BpfFunction[]): void {
  const ext = object.btfExt;
  if (ext === undefined) return;
  const place = (insnOff: number): { owner: BpfFunction; insnIdx: number } | undefined => {
    const owner = insnOff % INSN_BYTES === 0 ? functionAt(functions, insnOff / INSN_BYTES) : undefined;
    return owner === undefined ? undefined : { owner, insnIdx: insnOff / INSN_BYTES - owner.start };
  };
  for (const record of ext.funcInfo.get(section.name) ?? []) {
    const at = place(record.insnOff);
    at?.owner.funcInfo.push({ insnOff: at.insnIdx, typeId: record.typeId });
  }
  for (const record of ext.lineInfo.get(section.name) ?? []) {
    const at = place(record.insnOff);
    at?.owner.lineInfo.push({ ...record, insnOff: at.insnIdx });
  }
  for (const record of ext.coreRelos.get(section.name) ?? []) {
    const at = place(record.insnOff);
    if (at === undefined) throw new ElfError(`CO-RE relocation at ${record.insnOff}, where no function is`, section.name, section.offset);
    at.owner.coreRelos.push({ ...record, insnIdx: at.insnIdx });
  }
}

/** Every function of an object. Throws ElfError. */
export function readFunctions(object: BpfElf): FunctionTable {
  const table = new Map<number, BpfFunction[]>();
  for (const section of object.code) {
    const functions = functionsOf(object, section);
    addRelocations(object, section, functions);
    addDebugRecords(object, section, functions);
    table.set(section.index, functions);
  }
  return table;
}
