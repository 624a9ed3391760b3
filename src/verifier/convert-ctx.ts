// Accesses to the context, moved from the layout that programs see to the kernel-side record.
// Source: behaviour of convert_ctx_accesses; the layout is spec/context.ts.

import type { Insn } from '../insn/insn.ts';
import { convertCtxAccess, ctxAccessOf, ctxFieldAt, type CtxField } from '../spec/context.ts';
import {
  BPF_B, BPF_DW, BPF_H, BPF_JA, BPF_JGE, BPF_JMP, BPF_K, BPF_LDX, BPF_ST, BPF_STX, BPF_W, insnClass, insnSize, sizeBytes as bytesOf,
} from '../spec/opcodes.ts';
import { PTR_TO_CTX } from '../spec/verifier-types.ts';
import type { InsnAux, VerifierEnv } from './env.ts';

const SIZES: Readonly<Record<number, number>> = { 1: BPF_B, 2: BPF_H, 4: BPF_W, 8: BPF_DW };
const SIZE_MASK = 0x18;

/** The instructions that a load or store of the context becomes; undefined for any other instruction. */
export function convertCtx(env: VerifierEnv, at: number, insn: Insn): readonly Insn[] | undefined {
  const cls = insnClass(insn.code);
  if ((env.aux[at] as InsnAux).ptrType !== PTR_TO_CTX || (cls !== BPF_LDX && cls !== BPF_STX && cls !== BPF_ST)) return undefined;
  const access = ctxAccessOf(env.prog.type);
  const field = access === undefined ? undefined : ctxFieldAt(access.struct, insn.off);
  if (field === undefined) return env.bug('context access without a field');
  const isWrite = cls !== BPF_LDX;
  const to = convertCtxAccess(field, insn.off, bytesOf(insnSize(insn.code)), isWrite);
  const size = SIZES[to.sizeBytes] as number;
  const moved: Insn = { ...insn, code: (insn.code & ~SIZE_MASK) | size, off: to.offset };
  return isWrite ? guardStore(field, moved) : [moved];
}

/** Some fields ignore values that are too large. */
function guardStore(field: CtxField, store: Insn): readonly Insn[] {
  if (field.storeBelow === undefined) return [store];
  if (insnClass(store.code) === BPF_STX) {
    return [{ code: BPF_JMP | BPF_JGE | BPF_K, dst: store.src, src: 0, off: 1, imm: field.storeBelow }, store];
  }
  return store.imm >= field.storeBelow ? [{ code: BPF_JMP | BPF_JA, dst: 0, src: 0, off: 0, imm: 0 }] : [store];
}
