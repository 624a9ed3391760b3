// Calls of any helper, with arguments made from its prototype: mostly of the right type, now and then of a wrong one.
// Invariant: a result that differs from run to run (time, randomness, CPU, sockets' cookies …) never reaches a scalar.

import { HELPERS } from '../../../src/spec/helpers.ts';
import * as v from '../../../src/spec/verifier-types.ts';
import * as op from '../../../src/spec/opcodes.ts';
import * as fn from '../../../src/spec/helpers.ts';
import { FUZZ_MAPS, mapIndex, QUEUE_MAPS, VALUE_MAPS } from './maps.ts';
import { BUFFER_OFF, CTX, KEY_OFF, SCALARS, VALUE_OFF, type Scene } from './snippets.ts';

const BUFFER_BYTES = 64;

/** Helpers whose result or effect is not the same in every run or kernel; only the verdict is compared for programs that call them. */
export const UNCOMPARABLE_HELPERS: ReadonlySet<number> = new Set([
  fn.BPF_FUNC_ktime_get_ns, fn.BPF_FUNC_ktime_get_boot_ns, fn.BPF_FUNC_ktime_get_coarse_ns, fn.BPF_FUNC_ktime_get_tai_ns, fn.BPF_FUNC_jiffies64,
  fn.BPF_FUNC_get_prandom_u32, fn.BPF_FUNC_get_smp_processor_id, fn.BPF_FUNC_get_numa_node_id, fn.BPF_FUNC_get_hash_recalc,
  fn.BPF_FUNC_get_current_pid_tgid, fn.BPF_FUNC_get_current_uid_gid, fn.BPF_FUNC_get_current_comm, fn.BPF_FUNC_get_current_task,
  fn.BPF_FUNC_get_current_task_btf, fn.BPF_FUNC_get_socket_cookie, fn.BPF_FUNC_get_netns_cookie, fn.BPF_FUNC_get_socket_uid,
  fn.BPF_FUNC_probe_read_kernel, fn.BPF_FUNC_probe_read_kernel_str, fn.BPF_FUNC_probe_read_user, fn.BPF_FUNC_probe_read_user_str,
  fn.BPF_FUNC_get_cgroup_classid, fn.BPF_FUNC_skb_cgroup_classid, fn.BPF_FUNC_skb_cgroup_id, fn.BPF_FUNC_skb_ancestor_cgroup_id,
  fn.BPF_FUNC_get_route_realm, fn.BPF_FUNC_fib_lookup, fn.BPF_FUNC_trace_printk, fn.BPF_FUNC_trace_vprintk, fn.BPF_FUNC_clone_redirect,
  fn.BPF_FUNC_perf_event_output, fn.BPF_FUNC_get_listener_sock, fn.BPF_FUNC_skb_get_tunnel_key, fn.BPF_FUNC_skb_set_tunnel_key,
  fn.BPF_FUNC_skb_get_tunnel_opt, fn.BPF_FUNC_skb_set_tunnel_opt, fn.BPF_FUNC_get_ns_current_pid_tgid, fn.BPF_FUNC_snprintf_btf,
]);

/** Helpers that a run on the machine's own kernel must not call: they send packets or print to the shared trace pipe. */
export const NEVER_RUN_ON_HOST: ReadonlySet<number> = new Set([
  fn.BPF_FUNC_clone_redirect, fn.BPF_FUNC_trace_printk, fn.BPF_FUNC_trace_vprintk, fn.BPF_FUNC_perf_event_output,
]);

/** Calls one of `helpers` with arguments by its prototype and keeps what comes back where it may be kept. */
export function helperCall(s: Scene, helpers: readonly number[]): void {
  const id = s.r.pick(helpers);
  const spec = HELPERS[id];
  if (spec === undefined) return;
  s.e.stMem(op.BPF_DW, 10, KEY_OFF, s.r.below(4));
  for (let at = 0; at < BUFFER_BYTES; at += 8) s.e.stMem(op.BPF_DW, 10, BUFFER_OFF + at, s.r.below(1000));
  for (let at = 0; at < 32; at += 8) s.e.stMem(op.BPF_DW, 10, VALUE_OFF + at, s.r.imm());
  const args: readonly number[] = spec.args;
  const map = s.r.chance(85) ? fittingMap(s, id) : s.r.below(FUZZ_MAPS.length);
  args.forEach((type, i) => {
    if (s.r.chance(96)) argument(s, i + 1, type, map);
  });
  s.e.call(id);
  useResult(s, id, spec.ret as number);
}

function fittingMap(s: Scene, id: number): number {
  switch (id) {
    case fn.BPF_FUNC_map_push_elem:
    case fn.BPF_FUNC_map_pop_elem:
    case fn.BPF_FUNC_map_peek_elem: return s.r.pick(QUEUE_MAPS);
    case fn.BPF_FUNC_map_lookup_percpu_elem: return mapIndex(s.r.pick(['percpu_hash', 'percpu_array', 'lru_percpu']));
    case fn.BPF_FUNC_perf_event_output: return mapIndex('perf');
    case fn.BPF_FUNC_ringbuf_reserve:
    case fn.BPF_FUNC_ringbuf_output:
    case fn.BPF_FUNC_ringbuf_query: return mapIndex('ringbuf');
    default: return s.r.pick(VALUE_MAPS);
  }
}

function argument(s: Scene, register: number, type: number, map: number): void {
  const stack = (offset: number): void => {
    s.e.mov64Reg(register, 10);
    s.e.alu64Imm(op.BPF_ADD, register, offset);
  };
  switch (v.baseType(type)) {
    case v.ARG_CONST_MAP_PTR: return s.e.lddw(register, op.BPF_PSEUDO_MAP_FD, map);
    case v.ARG_PTR_TO_MAP_KEY: return stack(KEY_OFF);
    case v.ARG_PTR_TO_MAP_VALUE: return stack(VALUE_OFF);
    case v.ARG_PTR_TO_CTX: return s.hasCtx ? s.e.mov64Reg(register, CTX) : s.e.mov64Imm(register, 0);
    case v.ARG_CONST_SIZE:
    case v.ARG_CONST_SIZE_OR_ZERO:
    case v.ARG_CONST_ALLOC_SIZE_OR_ZERO: return sizeArgument(s, register);
    case v.ARG_ANYTHING: return s.r.chance(60) ? s.e.mov64Imm(register, s.r.pick([0, 0, 1, 2, 14, 20, 34, 64, 256, -1])) : s.e.mov64Reg(register, s.r.pick(SCALARS));
    case v.ARG_PTR_TO_FUNC: {
      const callback = s.callbacks[0];
      return callback === undefined ? s.e.mov64Imm(register, 0) : s.e.funcAddress(register, callback);
    }
    case v.ARG_PTR_TO_STACK: return stack(-64);
    default:
      if ((type & v.PTR_MAYBE_NULL) !== 0 && s.r.chance(25)) return s.e.mov64Imm(register, 0);
      return stack(BUFFER_OFF);
  }
}

function sizeArgument(s: Scene, register: number): void {
  if (s.r.chance(75)) return s.e.mov64Imm(register, s.r.pick([1, 2, 4, 8, 12, 16, 20, 24, 32, 64, 0, 3]));
  s.e.mov64Reg(register, s.r.pick(SCALARS));
  s.e.alu64Imm(op.BPF_AND, register, s.r.pick([3, 15, 63, 127]));
  if (s.r.chance(50)) s.e.alu64Imm(op.BPF_ADD, register, 1);
}

function useResult(s: Scene, id: number, ret: number): void {
  if (ret === v.RET_INTEGER) {
    if (!UNCOMPARABLE_HELPERS.has(id)) s.e.alu64Reg(op.BPF_XOR, s.r.pick(SCALARS), 0);
    return;
  }
  if ((ret & v.PTR_MAYBE_NULL) === 0) return;
  const out = s.e.label();
  s.e.jmpImm(op.BPF_JEQ, 0, 0, out);
  s.e.mov64Reg(1, 0);
  if (id === fn.BPF_FUNC_sk_lookup_tcp || id === fn.BPF_FUNC_sk_lookup_udp || id === fn.BPF_FUNC_skc_lookup_tcp) s.e.call(fn.BPF_FUNC_sk_release);
  if (id === fn.BPF_FUNC_ringbuf_reserve) {
    s.e.mov64Imm(2, 0);
    s.e.call(fn.BPF_FUNC_ringbuf_discard);
  }
  s.e.place(out);
}
