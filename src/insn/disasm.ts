// Programs as text: one line an instruction, in the kernel's dialect or LLVM's, with labels where wanted.
// Invariant: what disasmText prints, src/asm reads back to the same slots, for every program whose instructions are all legal
// (unless the caller's own names for calls and immediates say something that the assembler can't know).
// Source: kernel/bpf/disasm.c and llvm-objdump for single lines; bpftool for map[id:…] and subprog[…].

import {
  BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE,
} from '../spec/opcodes.ts';
import { insnStarts, subprogStarts } from './blocks.ts';
import { disasmKernel } from './disasm-kernel.ts';
import { disasmLlvm } from './disasm-llvm.ts';
import { isKfuncCall, isPseudoCall, isPseudoFunc, jumpTarget } from './fields.ts';
import type { Insn } from './insn.ts';

/** Whose words: the kernel's (verifier log, bpftool) or LLVM's (llvm-objdump, clang -S). */
export type Dialect = 'kernel' | 'llvm';

/** How a program is printed. */
export interface DisasmOptions {
  /** Default 'kernel'. */
  readonly dialect?: Dialect;
  /** Kernel dialect: "(b7) " before each instruction, as in verifier logs. Default false. */
  readonly opcodePrefix?: boolean;
  /** "12: " before each instruction, the slot's number. Default false. */
  readonly numbers?: boolean;
  /** Label lines, and jumps and calls by label: "goto L5" (LLVM: "goto +0x2 <L5>"). Default false. */
  readonly labels?: boolean;
  /** Names a function of the program by its first slot, for labels; default func_<slot>. */
  readonly subprogName?: (start: number) => string | undefined;
  /** Names a call; see KernelDialectOptions and LlvmDialectOptions. */
  readonly callName?: (insn: Insn, at: number) => string | undefined;
  /** Text of a 64-bit immediate; undefined: sourceImmName's. */
  readonly immName?: (insn: Insn, full: bigint, at: number) => string | undefined;
}

/** One printed line: the instruction at slot `at`, and the label before it if there is one. */
export interface DisasmLine { readonly at: number; readonly label?: string; readonly text: string }

/** The words src/asm reads for LDDW with `src` other than 0: "map[fd:3]", "map[fd:3][0]+8", "map[idx:0]", "subprog[+5]", "btf_id[7]". Undefined for plain values. */
export function sourceImmName(insn: Insn, full: bigint): string | undefined {
  const next = full >> 32n;
  switch (insn.src) {
    case BPF_PSEUDO_MAP_FD: return `map[fd:${insn.imm}]`;
    case BPF_PSEUDO_MAP_VALUE: return `map[fd:${insn.imm}][0]+${next}`;
    case BPF_PSEUDO_BTF_ID: return `btf_id[${insn.imm}${next === 0n ? '' : `, fd:${next}`}]`;
    case BPF_PSEUDO_FUNC: return `subprog[${insn.imm < 0 ? '' : '+'}${insn.imm}]`;
    case BPF_PSEUDO_MAP_IDX: return `map[idx:${insn.imm}]`;
    case BPF_PSEUDO_MAP_IDX_VALUE: return `map[idx:${insn.imm}][0]+${next}`;
    default: return undefined;
  }
}

/** Labels by slot: functions called or loaded, and jump targets, where they are the first slot of an instruction. */
function labelsOf(insns: readonly Insn[], options: DisasmOptions): Map<number, string> {
  const labels = new Map<number, string>();
  if (options.labels !== true) return labels;
  const starts = insnStarts(insns);
  for (const [at, insn] of insns.entries()) {
    const target = starts[at] === 1 ? jumpTarget(insn, at) : undefined;
    if (target !== undefined && starts[target] === 1) labels.set(target, `L${target}`);
  }
  for (const start of subprogStarts(insns)) {
    const name = options.subprogName?.(start) ?? (start === 0 ? undefined : `func_${start}`);
    if (name !== undefined && starts[start] === 1) labels.set(start, name);
  }
  return labels;
}

type TextOf = (insn: Insn, next: Insn | undefined, at: number) => string;

/** A kfunc of a module: neither dialect has words for its place in fd_array, and without it another function would be called. */
const moduleOf = (insn: Insn): string => (isKfuncCall(insn) && insn.off !== 0 ? ` fd_array[${insn.off}]` : '');

function immNamer(labels: ReadonlyMap<number, string>, options: DisasmOptions, plain: (full: bigint) => string | undefined) {
  return (insn: Insn, full: bigint, at: number): string | undefined => {
    const given = options.immName?.(insn, full, at);
    if (given !== undefined) return given;
    const target = isPseudoFunc(insn) ? labels.get(at + 1 + insn.imm) : undefined;
    return target === undefined ? (sourceImmName(insn, full) ?? plain(full)) : `func ${target} ll`;
  };
}

function kernelText(labels: ReadonlyMap<number, string>, options: DisasmOptions): TextOf {
  // Without "(18)" in front a small value would read back as a one-slot move.
  const immName = immNamer(labels, options, (full) => (options.opcodePrefix === true ? undefined : `0x${full.toString(16)} ll`));
  return (insn, next, at) => {
    const text = disasmKernel(insn, next, {
      opcodePrefix: options.opcodePrefix === true,
      callName: (call) => options.callName?.(call, at),
      immName: (lddw, full) => immName(lddw, full, at),
    });
    const target = isPseudoCall(insn) ? at + 1 + insn.imm : jumpTarget(insn, at);
    const label = target === undefined ? undefined : labels.get(target);
    return label === undefined ? text : text.replace(/pc[+-]\d+$/, label);
  };
}

function llvmText(labels: ReadonlyMap<number, string>, options: DisasmOptions): TextOf {
  const immName = immNamer(labels, options, () => undefined);
  return (insn, next, at) =>
    disasmLlvm(insn, next, {
      callName: (call) => options.callName?.(call, at) ?? (isPseudoCall(call) ? labels.get(at + 1 + call.imm) : undefined),
      immName: (lddw, full) => immName(lddw, full, at),
      targetName: (jump) => labels.get(jumpTarget(jump, at) ?? -1),
    });
}

/** The program's lines in order; the second slot of a 64-bit immediate has none. Never throws. */
export function disasmProgram(insns: readonly Insn[], options: DisasmOptions = {}): DisasmLine[] {
  const labels = labelsOf(insns, options);
  const textOf = options.dialect === 'llvm' ? llvmText(labels, options) : kernelText(labels, options);
  const starts = insnStarts(insns);
  const lines: DisasmLine[] = [];
  for (const [at, insn] of insns.entries()) {
    if (starts[at] !== 1) continue;
    const text = textOf(insn, insns[at + 1], at) + moduleOf(insn);
    const label = labels.get(at);
    lines.push(label === undefined ? { at, text } : { at, label, text });
  }
  return lines;
}

/** The program as one text, a line an instruction, labels on lines of their own, with a newline at the end of each line. */
export function disasmText(insns: readonly Insn[], options: DisasmOptions = {}): string {
  let text = '';
  for (const line of disasmProgram(insns, options)) {
    if (line.label !== undefined) text += `${line.label}:\n`;
    const indent = options.labels === true ? '    ' : '';
    text += `${indent}${options.numbers === true ? `${line.at}: ` : ''}${line.text}\n`;
  }
  return text;
}
