// What a helper means to control flow and to liveness, before any of its arguments is checked.
// Source: behaviour of get_call_summary, is_sync_callback_calling_insn and is_async_callback_calling_insn, Linux 6.18.

import type { Insn } from '../insn/insn.ts';
import { ASYNC_CALLBACKS, SYNC_CALLBACKS } from '../spec/helper-facts.ts';
import { BPF_FUNC_get_smp_processor_id } from '../spec/helpers.ts';
import { RET_VOID } from '../spec/verifier-types.ts';
import { helperProto } from './helper-protos.ts';
import type { VerifierEnv } from './env.ts';
import { isHelperCall } from './prologue.ts';

/** A helper that calls back into the program while it runs. */
export const callsSyncCallback = (insn: Insn): boolean => isHelperCall(insn) && SYNC_CALLBACKS.has(insn.imm);
/** A helper that registers a callback to run later. */
export const callsAsyncCallback = (insn: Insn): boolean => isHelperCall(insn) && ASYNC_CALLBACKS.has(insn.imm);

/** How many arguments a helper reads, whether it returns something, and whether it keeps registers that it doesn't use (bpf_fastcall). */
export interface CallSummary { readonly params: number; readonly isVoid: boolean; readonly fastcall: boolean }

/** The summary of a helper call; undefined for other calls and helpers that the program type doesn't have. */
export function callSummary(env: VerifierEnv, insn: Insn): CallSummary | undefined {
  if (!isHelperCall(insn)) return undefined;
  const proto = helperProto(env, insn.imm);
  if (proto === undefined) return undefined;
  // On x86-64 only bpf_get_smp_processor_id is inlined in a way that keeps registers.
  const fastcall = proto.allowFastcall === true && insn.imm === BPF_FUNC_get_smp_processor_id;
  return { params: proto.args.length, isVoid: proto.ret === RET_VOID, fastcall };
}
