// References that a program acquires and must release, and walks over every register of a state.
// Source: behaviour of acquire_reference, release_reference, check_resource_leak and bpf_for_each_reg_in_vstate, Linux 6.18.

import { EINVAL } from '../spec/errno.ts';
import type { VerifierEnv } from './env.ts';
import { MAX_BPF_REG } from '../spec/limits.ts';
import { markRegUnknown, markRegNotInit } from './mark-reg.ts';
import type { RegState } from './reg-state.ts';
import { isSpilledSlot } from './stack-state.ts';
import { REF_TYPE_PTR, type VerifierState } from './verifier-state.ts';

/** Calls `visit` for every register and every spilled register of every frame. */
export function forEachReg(state: VerifierState, visit: (reg: RegState) => void): void {
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frames[frameno];
    if (frame === undefined) continue;
    for (let regno = 0; regno < MAX_BPF_REG; regno++) visit(frame.regs[regno] as RegState);
    for (let spi = 0; spi < frame.stack.slots; spi++) if (isSpilledSlot(frame.stack, spi)) visit(frame.stack.spilled(spi));
  }
}

/** Records a reference acquired by the current instruction and returns its id. */
export function acquireReference(env: VerifierEnv): number {
  const id = env.newId();
  env.state.refs.push({ type: REF_TYPE_PTR, id, insnIdx: env.insnIdx, lockPtr: 0 });
  return id;
}

/** Drops the record of a reference, keeping the others' order; false when there is none. */
export function releaseReferenceNomark(state: VerifierState, id: number): boolean {
  const at = state.refs.findIndex((ref) => ref.type === REF_TYPE_PTR && ref.id === id);
  if (at < 0) return false;
  state.refs.splice(at, 1);
  return true;
}

/** A register that may no longer be used: unreadable without CAP_PERFMON, an unknown scalar with it. */
export function markRegInvalid(env: VerifierEnv, reg: RegState): void {
  if (env.allowPtrLeaks) markRegUnknown(env, reg);
  else markRegNotInit(env, reg);
}

/** Releases a reference and invalidates every register that carries it; false when there is none. */
export function releaseReference(env: VerifierEnv, id: number): boolean {
  if (!releaseReferenceNomark(env.state, id)) return false;
  forEachReg(env.state, (reg) => {
    if (reg.refObjId === id) markRegInvalid(env, reg);
  });
  return true;
}

function checkReferenceLeak(env: VerifierEnv, prefix: string): void {
  if (env.frame.frameno !== 0) return;
  let leaking = false;
  for (const ref of env.state.refs) {
    if (ref.type !== REF_TYPE_PTR) continue;
    env.log.verbose(`Unreleased reference id=${ref.id} alloc_insn=${ref.insnIdx}\n`);
    leaking = true;
  }
  if (leaking) env.reject(EINVAL, `${prefix} would lead to reference leak`);
}

/** Rejects when references or (with `checkLock`) held locks would be lost at what `prefix` names. */
export function checkResourceLeak(env: VerifierEnv, checkLock: boolean, prefix: string): void {
  const { state } = env;
  if (checkLock && state.activeLocks > 0) env.reject(EINVAL, `${prefix} cannot be used inside bpf_spin_lock-ed region`);
  checkReferenceLeak(env, prefix);
  if (checkLock && state.activeIrqId !== 0) env.reject(EINVAL, `${prefix} cannot be used inside bpf_local_irq_save-ed region`);
  if (checkLock && state.activeRcuLock) env.reject(EINVAL, `${prefix} cannot be used inside bpf_rcu_read_lock-ed region`);
  if (checkLock && state.activePreemptLocks > 0) env.reject(EINVAL, `${prefix} cannot be used inside bpf_preempt_disable-ed region`);
}
