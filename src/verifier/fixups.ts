// What executors are given: dead code removed, context accesses moved to the kernel-side record, maps as indices, and facts per instruction.
// Invariant: runs after all checks and never rejects; every jump, call and function reference is relocated once, at the end.
// Source: behaviour of opt_hard_wire_dead_code_branches, opt_remove_dead_code, opt_remove_nops and convert_ctx_accesses, Linux 6.18.

import { isLddw, isPseudoCall, isPseudoFunc, jumpOffset } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { mintVerifiedProgram, type InsnFact, type VerifiedProgram, type VerifiedSubprog } from '../insn/verified-program.ts';
import {
  BPF_ALU64, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_K, BPF_MOV, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_VALUE, insnClass,
  insnOp,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import { isGplCompatible } from './check-call.ts';
import { convertCtx } from './convert-ctx.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import { factOf } from './facts.ts';

const JA = BPF_JMP | BPF_JA;
const NOP: Insn = { code: JA, dst: 0, src: 0, off: 0, imm: 0 };
const isConditional = (insn: Insn): boolean => {
  const op = insnOp(insn.code);
  if (insnClass(insn.code) === BPF_JMP32) return op !== BPF_JA;
  return insnClass(insn.code) === BPF_JMP && op !== BPF_JA && op !== BPF_EXIT && op !== 0x80;
};
const hasTarget = (insn: Insn): boolean => isConditional(insn) || insn.code === JA || insn.code === (BPF_JMP32 | BPF_JA);
/** Jumps that do nothing when they lead to the next instruction. */
const canBeNop = (insn: Insn): boolean => insn.code === JA || insn.code === (BPF_JMP32 | BPF_JA) || insn.code === (BPF_JMP | BPF_JCOND);

/** Whether nothing is left of slots [from, to). */
function isEmpty(plan: Plan, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((plan.slots[i] as readonly Insn[]).length > 0) return false;
  return true;
}

/** What each slot becomes: a replacement of any length. The first replacement slot inherits the slot's jump target. */
interface Plan { readonly slots: (readonly Insn[])[]; readonly targets: Int32Array }

/** The kernel can't place a function's address when nothing is left of that function nor after it. */
export function checkFuncRefs(env: VerifierEnv): void {
  const isLive = (at: number): boolean => (env.aux[at] as InsnAux).seen;
  const live = env.subprogs.filter((subprog, subprogno) => env.aux.slice(subprog.start, env.subprogEnd(subprogno)).some((aux) => aux.seen));
  if (live.length <= 1) return;
  env.insns.forEach((insn, i) => {
    if (!isPseudoFunc(insn) || !isLive(i)) return;
    const start = i + 1 + insn.imm;
    if (!env.aux.slice(start).some((aux) => aux.seen)) env.verifierBug(`No program to jit at insn ${start} (subprog < 0)`);
  });
}

/** Applies all rewrites and mints the verified program. */
export function finishProgram(env: VerifierEnv): VerifiedProgram {
  const plan = planSlots(env);
  const newIndex = newIndices(plan);
  const insns: Insn[] = [];
  const facts: InsnFact[] = [];
  const subprogs = liveSubprogs(env, newIndex);
  const subprogIndex = new Map(subprogs.map(({ old }, index) => [old, index]));
  plan.slots.forEach((slots, at) => {
    slots.forEach((insn, i) => {
      insns.push(relocate(env, plan, newIndex, at, i, slots.length, insn));
      facts.push(i === factSlot(slots) ? factOf(env, at, subprogIndex) : {});
    });
  });
  return mintVerifiedProgram({
    name: env.prog.name, type: env.prog.type, expectedAttachType: env.prog.expectedAttachType, insns, facts,
    subprogs: subprogs.map(({ subprog }) => subprog), maps: env.mapFds.filter((fd) => fd >= 0),
    readsUninitStack: env.aux.some((aux) => aux.readsUninitStack), gplCompatible: isGplCompatible(env.prog.license),
  });
}

/** A guarded access comes after its guard. */
const factSlot = (slots: readonly Insn[]): number => (slots.length > 1 && !isLddw(slots[0] as Insn) ? slots.length - 1 : 0);

function planSlots(env: VerifierEnv): Plan {
  const plan: Plan = { slots: Array.from(env.insns, () => []), targets: new Int32Array(env.insns.length).fill(-1) };
  const referenced = referencedDead(env);
  // Backwards, so that a jump knows whether anything is left of what it jumps over.
  for (let i = env.insns.length - 1; i >= 0; i--) {
    if ((env.aux[i] as InsnAux).seen) plan.slots[i] = rewrite(env, i, plan);
    else if (referenced.has(i)) plan.slots[i] = RETURN_ZERO;
  }
  return plan;
}

const RETURN_ZERO: readonly Insn[] = [
  { code: BPF_ALU64 | BPF_MOV | BPF_K, dst: 0, src: 0, off: 0, imm: 0 },
  { code: BPF_JMP | BPF_EXIT, dst: 0, src: 0, off: 0, imm: 0 },
];

/** Starts of functions whose address is loaded but that are never called: something must stand there. */
function referencedDead(env: VerifierEnv): Set<number> {
  const starts = new Set<number>();
  env.insns.forEach((insn, i) => {
    if ((isPseudoFunc(insn) || isPseudoCall(insn)) && (env.aux[i] as InsnAux).seen) {
      const start = i + insn.imm + 1;
      if (!(env.aux[start] as InsnAux).seen) starts.add(start);
    }
  });
  return starts;
}

function rewrite(env: VerifierEnv, at: number, plan: Plan): readonly Insn[] {
  const insn = env.insns[at] as Insn;
  if (isFastcallPair(env, at)) return [];
  const wired = hardWire(env, at, insn);
  if (hasTarget(wired)) {
    const target = at + 1 + jumpOffset(wired);
    if (canBeNop(wired) && target > at && !isFuncEnd(env, at) && isEmpty(plan, at + 1, target)) return [];
    plan.targets[at] = target;
    return [wired];
  }
  if (isPseudoCall(insn) || isPseudoFunc(insn)) plan.targets[at] = at + 1 + insn.imm;
  if (isLddw(insn)) return [mapLoad(env, at, insn)];
  return convertCtx(env, at, insn) ?? [insn];
}

const isFuncEnd = (env: VerifierEnv, at: number): boolean => at + 1 === env.insns.length || env.findSubprog(at + 1) >= 0;

/** A spill or fill of a bpf_fastcall pattern that is dropped. */
function isFastcallPair(env: VerifierEnv, at: number): boolean {
  for (let distance = 1; distance <= 6; distance++) {
    if ((env.aux[at + distance]?.fastcallSpillsNum ?? 0) >= distance || (env.aux[at - distance]?.fastcallSpillsNum ?? 0) >= distance) return true;
  }
  return false;
}

/** A conditional jump of which only one way was ever walked becomes unconditional. */
function hardWire(env: VerifierEnv, at: number, insn: Insn): Insn {
  if (!isConditional(insn)) return insn;
  if (!(env.aux[at + 1] as InsnAux).seen) return { ...NOP, off: insn.off };
  if (!(env.aux[at + 1 + insn.off] as InsnAux).seen) return NOP;
  return insn;
}

function mapLoad(env: VerifierEnv, at: number, insn: Insn): Insn {
  const { mapIndex } = env.aux[at] as InsnAux;
  if (mapIndex <= 0 || insn.src === 0) return insn;
  const isMap = insn.src === BPF_PSEUDO_MAP_FD || insn.src === BPF_PSEUDO_MAP_IDX;
  return { ...insn, src: isMap ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE, imm: mapIndex - 1 };
}

/** Where each old slot (and the end) is now; a removed slot's successor takes its place. */
function newIndices(plan: Plan): Int32Array {
  const at = new Int32Array(plan.slots.length + 1);
  let next = 0;
  plan.slots.forEach((slots, i) => {
    at[i] = next;
    next += slots.length;
  });
  at[plan.slots.length] = next;
  return at;
}

function relocate(_env: VerifierEnv, plan: Plan, newIndex: Int32Array, at: number, i: number, count: number, insn: Insn): Insn {
  const target = plan.targets[at] as number;
  if (target < 0 || i !== count - 1) return insn;
  const distance = (newIndex[target] as number) - ((newIndex[at] as number) + i + 1);
  if (isPseudoCall(insn) || isPseudoFunc(insn) || insn.code === (BPF_JMP32 | BPF_JA)) return { ...insn, imm: distance };
  if (distance < -32768 || distance > 32767) throw new NotSupportedError('rewritten jumps over more than 32767 instructions');
  return { ...insn, off: distance };
}

/** Functions that are still there, with their old numbers. */
function liveSubprogs(env: VerifierEnv, newIndex: Int32Array): { old: number; subprog: VerifiedSubprog }[] {
  const live: { old: number; subprog: VerifiedSubprog }[] = [];
  env.subprogs.forEach((info: SubprogInfo, old) => {
    const start = newIndex[info.start] as number;
    const end = newIndex[env.subprogEnd(old)] as number;
    if (start === end) return;
    const { stackDepth, isCallback, name } = info;
    live.push({ old, subprog: { start, end, stackDepthBytes: stackDepth, isCallback, name } });
  });
  return live;
}
