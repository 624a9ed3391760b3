// Helpers that are given a function of the program: the state in which that function starts.
// Invariant: the callback is queued as a path of its own, and the current path goes on as if the loop had ended; walking the callback leads
// back to the call, so that any number of rounds is covered.
// Source: behaviour and messages of set_*_callback_state, Linux 6.18.

import { ENOTSUPP } from '../spec/errno.ts';
import {
  BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
} from '../spec/map-types.ts';
import { BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5 } from '../spec/opcodes.ts';
import { CONST_PTR_TO_MAP, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, SCALAR_VALUE } from '../spec/verifier-types.ts';
import type { SetCalleeState } from './calls.ts';
import type { VerifierEnv } from './env.ts';
import type { FuncState } from './func-state.ts';
import { markRegKnownZero, markRegNotInit } from './mark-reg.ts';
import type { RegState } from './reg-state.ts';

const reg = (frame: FuncState, regno: number): RegState => frame.regs[regno] as RegState;

function setRange(callee: FuncState, min: number, max: number): void {
  callee.callbackRetMin = min;
  callee.callbackRetMax = max;
}

function forget(env: VerifierEnv, callee: FuncState, ...regnos: readonly number[]): void {
  for (const regno of regnos) markRegNotInit(env, reg(callee, regno));
}

/** A pointer of type `type` into the map of `mapIndex`. */
function setMapPointer(to: RegState, type: number, mapIndex: number): void {
  markRegKnownZero(to);
  to.type = type;
  to.mapIndex = mapIndex;
}

const FOR_EACH_MAPS: ReadonlySet<number> = new Set([BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY]);

/** bpf_for_each_map_elem: (map, key, value, ctx). */
export const setMapElemCallbackState: SetCalleeState = (env, caller, callee) => {
  const map = reg(caller, BPF_REG_1);
  if (!FOR_EACH_MAPS.has(env.mapOf(map).mapType)) env.reject(ENOTSUPP, 'callback function not allowed for map');
  reg(callee, BPF_REG_1).copyFrom(map);
  setMapPointer(reg(callee, BPF_REG_2), PTR_TO_MAP_KEY, map.mapIndex);
  setMapPointer(reg(callee, BPF_REG_3), PTR_TO_MAP_VALUE, map.mapIndex);
  reg(callee, BPF_REG_4).copyFrom(reg(caller, BPF_REG_3));
  forget(env, callee, BPF_REG_5);
  callee.inCallbackFn = true;
  setRange(callee, 0, 1);
};

/** bpf_loop: (index, ctx). */
export const setLoopCallbackState: SetCalleeState = (env, caller, callee) => {
  reg(callee, BPF_REG_1).type = SCALAR_VALUE;
  reg(callee, BPF_REG_2).copyFrom(reg(caller, BPF_REG_3));
  forget(env, callee, BPF_REG_3, BPF_REG_4, BPF_REG_5);
  callee.inCallbackFn = true;
  setRange(callee, 0, 1);
};

/** bpf_timer_set_callback: (map, key, value), later. */
export const setTimerCallbackState: SetCalleeState = (env, caller, callee) => {
  const { mapIndex } = reg(caller, BPF_REG_1);
  setMapPointer(reg(callee, BPF_REG_1), CONST_PTR_TO_MAP, mapIndex);
  setMapPointer(reg(callee, BPF_REG_2), PTR_TO_MAP_KEY, mapIndex);
  setMapPointer(reg(callee, BPF_REG_3), PTR_TO_MAP_VALUE, mapIndex);
  forget(env, callee, BPF_REG_4, BPF_REG_5);
  callee.inAsyncCallbackFn = true;
  setRange(callee, 0, 0);
};
