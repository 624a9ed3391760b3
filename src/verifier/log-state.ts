// Prints registers and stack slots into the log exactly as the kernel does: what is shown, what is omitted, in which order and number base.
// Invariant: printing changes nothing but the log and the "changed since last print" marks.
// Source: the log's format as of Linux 6.18 (kernel/bpf/log.c), which is an interface.

import { BPF_ADD_CONST } from '../spec/limits.ts';
import { baseType, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, NON_OWN_REF, NOT_INIT, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM,
  PTR_TO_STACK, regTypeStr, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../util/u64.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { typeIsPktPointer } from './reg-facts.ts';
import type { RegState } from './reg-state.ts';
import { SLOT_BYTES, STACK_DYNPTR, STACK_ITER, STACK_SPILL } from './stack-state.ts';
import { hex64, tnumString } from './tnum.ts';
import type { VerifierState } from './verifier-state.ts';

const SLOT_TYPE_CHARS = '?rm0dif';
const LOG_ALIGNMENT = 40;
const LOG_MIN_ALIGNMENT = 8;

/** Unsigned: decimal up to 65535, hexadecimal above. */
const unum = (value: bigint): string => (value <= 0xffffn ? value.toString() : hex64(value));
/** Signed: decimal within 16 bits, hexadecimal of the 64-bit word beyond. */
const snum = (value: bigint): string => (isSnumDecimal(value) ? value.toString() : hex64(value));
const isSnumDecimal = (value: bigint): boolean => value >= -0x8000n && value <= 0x7fffn;
const snumOf = (value: number): string => snum(BigInt(value));

/** A signed 32-bit bound as the log compares and prints it: sign-extended where it prints in decimal, zero-extended otherwise. */
const s32ForLog = (value: number): bigint => (isSnumDecimal(BigInt(value)) ? BigInt(value) : BigInt(value >>> 0));

interface Bound { readonly name: string; readonly value: bigint; readonly signed: boolean; omit: boolean }

function boundsOf(reg: RegState): Bound[] {
  return [
    { name: 'smin', value: reg.sminValue, signed: true, omit: reg.sminValue === S64_MIN },
    { name: 'smax', value: reg.smaxValue, signed: true, omit: reg.smaxValue === S64_MAX },
    { name: 'umin', value: reg.uminValue, signed: false, omit: reg.uminValue === 0n },
    { name: 'umax', value: reg.umaxValue, signed: false, omit: reg.umaxValue === U64_MAX },
    { name: 'smin32', value: s32ForLog(reg.s32MinValue), signed: true, omit: reg.s32MinValue === S32_MIN },
    { name: 'smax32', value: s32ForLog(reg.s32MaxValue), signed: true, omit: reg.s32MaxValue === S32_MAX },
    { name: 'umin32', value: BigInt(reg.u32MinValue), signed: false, omit: reg.u32MinValue === 0 },
    { name: 'umax32', value: BigInt(reg.u32MaxValue), signed: false, omit: reg.u32MaxValue === U32_MAX },
  ];
}

/** `smin=0`, `smax=umax=255`: bounds of the same kind (minima, maxima) and value share one number; a negative one only with negatives. */
function scalarRanges(reg: RegState): string[] {
  const bounds = boundsOf(reg);
  const texts: string[] = [];
  bounds.forEach((bound, at) => {
    if (bound.omit) return;
    let names = `${bound.name}=`;
    for (let i = at + 2; i < bounds.length; i += 2) {
      const other = bounds[i] as Bound;
      if (other.omit || BigInt.asUintN(64, other.value) !== BigInt.asUintN(64, bound.value)) continue;
      if (isNegative(other) !== isNegative(bound)) continue;
      other.omit = true;
      names += `${other.name}=`;
    }
    texts.push(names + (bound.signed ? snum(bound.value) : unum(bound.value)));
  });
  return texts;
}

const isNegative = (bound: Bound): boolean => bound.signed && bound.value < 0n;

/** How a register reads in the log: `scalar(smin=0,…)`, `map_value(map=m,ks=4,vs=8)`, `fp-8`, `P42` … */
export function regText(env: VerifierEnv, frame: FuncState, reg: RegState): string {
  const { type } = reg;
  const precise = type === SCALAR_VALUE && reg.precise ? 'P' : '';
  if (type === SCALAR_VALUE && reg.isConst) return precise + snum(BigInt.asIntN(64, reg.varValue));
  const name = precise + regTypeStr(type);
  if (type === PTR_TO_ARENA) return name;
  if (type === PTR_TO_STACK) {
    const where = name + (frame.frameno === reg.frameno ? '' : `[${reg.frameno}]`);
    if (reg.isConst) return where + snum(BigInt.asIntN(64, reg.varValue + BigInt(reg.off)));
    return `${where}(${attributes(env, reg).join(',')})`;
  }
  return `${name}(${attributes(env, reg).join(',')})`;
}

function attributes(env: VerifierEnv, reg: RegState): string[] {
  const texts: string[] = [];
  const { type } = reg;
  const isLinkedSum = (reg.id & BPF_ADD_CONST) !== 0;
  if (reg.id !== 0) texts.push(`id=${reg.id & ~BPF_ADD_CONST}${isLinkedSum ? `${reg.off < 0 ? '' : '+'}${reg.off}` : ''}`);
  if (reg.refObjId !== 0) texts.push(`ref_obj_id=${reg.refObjId}`);
  if (baseType(type) === PTR_TO_BTF_ID && (type & NON_OWN_REF) !== 0) texts.push('non_own_ref');
  pointerAttributes(env, reg, texts);
  if (reg.isConst) {
    if (reg.varValue !== 0n) texts.push(`imm=${snum(BigInt.asIntN(64, reg.varValue))}`);
    return texts;
  }
  texts.push(...scalarRanges(reg));
  if (reg.varValue !== 0n || reg.varMask !== U64_MAX) texts.push(`var_off=${tnumString(reg.varValue, reg.varMask)}`);
  return texts;
}

function pointerAttributes(env: VerifierEnv, reg: RegState, texts: string[]): void {
  const base = baseType(reg.type);
  if (base === CONST_PTR_TO_MAP || base === PTR_TO_MAP_KEY || base === PTR_TO_MAP_VALUE) {
    const map = env.mapOf(reg);
    const name = env.mapName(reg);
    if (name !== '') texts.push(`map=${name}`);
    texts.push(`ks=${map.keySize},vs=${map.valueSize}`);
  }
  if (reg.type !== SCALAR_VALUE && reg.off !== 0) texts.push(`off=${snumOf(reg.off)}`);
  // A negative range (beyond the packet's end) prints as the unsigned 64-bit word.
  if (typeIsPktPointer(reg.type)) texts.push(`r=${unum(BigInt.asUintN(64, BigInt(reg.extra)))}`);
  if (base === PTR_TO_MEM) texts.push(`sz=${unum(BigInt(reg.extra >>> 0))}`);
  if (reg.type === CONST_PTR_TO_DYNPTR) texts.push('type=local');
}

const isSlotScratched = (env: VerifierEnv, spi: number): boolean =>
  ((spi < 32 ? env.scratchedStackLow : env.scratchedStackHigh) & (1 << (spi & 31))) !== 0;

// Slots and states.

function slotText(env: VerifierEnv, frame: FuncState, spi: number): string {
  const { stack } = frame;
  let types = '';
  for (let at = 0; at < SLOT_BYTES; at++) types += SLOT_TYPE_CHARS[stack.typeAt(spi * SLOT_BYTES + at)] ?? '?';
  if (types === '????????') return '';
  const place = ` fp${-(spi + 1) * SLOT_BYTES}=`;
  const lowest = stack.typeAt(spi * SLOT_BYTES + SLOT_BYTES - 1);
  if (lowest === STACK_SPILL) return place + types.slice(0, types.indexOf('r')) + regText(env, frame, stack.spilled(spi));
  if (lowest === STACK_DYNPTR || lowest === STACK_ITER) return '';
  return place + types;
}

/** One line with the frame's registers and slots: all, or only those that changed (then nothing counts as changed any more). */
export function printVerifierState(env: VerifierEnv, state: VerifierState, frameno: number, printAll: boolean): void {
  const frame = state.frames[frameno] as FuncState;
  let text = frame.frameno === 0 ? '' : ` frame${frame.frameno}:`;
  frame.regs.forEach((reg, regno) => {
    if (reg.type === NOT_INIT || (!printAll && (env.scratchedRegs & (1 << regno)) === 0)) return;
    text += ` R${regno}=${regText(env, frame, reg)}`;
  });
  for (let spi = 0; spi < frame.stack.slots; spi++) {
    if (printAll || isSlotScratched(env, spi)) text += slotText(env, frame, spi);
  }
  const refs = state.refs.filter((ref) => ref.id !== 0);
  if (state.refs[0] !== undefined && state.refs[0].id !== 0) text += ` refs=${refs.map((ref) => ref.id).join(',')}`;
  if (frame.inCallbackFn) text += ' cb';
  if (frame.inAsyncCallbackFn) text += ' async_cb';
  env.log.verbose(`${text}\n`);
  if (!printAll) env.markStateClean();
}

/**
 * What changed, behind the instruction just printed (`; R0=0`, aligned) or on a line of its own (`5: R0=0`). The driver sets `env.prevLogPos`
 * after printing an instruction and `env.prevInsnPrintPos` to that line's length, newline included.
 */
export function printInsnState(env: VerifierEnv, state: VerifierState, frameno: number): void {
  if (env.prevLogPos !== 0 && env.prevLogPos === env.log.position) {
    env.log.resetTo(env.prevLogPos - 1);
    env.log.verbose(`${' '.repeat(commentGap(env.prevInsnPrintPos))};`);
  } else {
    env.log.verbose(`${env.insnIdx}:`);
  }
  printVerifierState(env, state, frameno, false);
}

/** Spaces before the `;`: to column 40, or to the next multiple of 8 with at least 4 between. */
function commentGap(length: number): number {
  const target = Math.max(length + LOG_MIN_ALIGNMENT / 2, LOG_ALIGNMENT);
  return Math.ceil(target / LOG_MIN_ALIGNMENT) * LOG_MIN_ALIGNMENT - length - 1;
}
