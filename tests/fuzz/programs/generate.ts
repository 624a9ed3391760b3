// Whole programs from a seed: a prologue, snippets, subprograms and callbacks, an epilogue; then, for half of them, one to three mutations.
// Invariant: the same seed gives the same program. Of a long run, 30–70 % are accepted by Linux 6.18 (tests/fuzz/README says how measured).

import type { Insn } from '../../../src/insn/insn.ts';
import * as op from '../../../src/spec/opcodes.ts';
import * as fn from '../../../src/spec/helpers.ts';
import { HELPERS } from '../../../src/spec/helpers.ts';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../../../src/spec/prog-types.ts';
import { Emit, type Label } from './emit.ts';
import { helperCall } from './helper-calls.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import * as snip from './snippets.ts';
import type { Scene, Snippet } from './snippets.ts';

/** A program to verify and run. `imm` of an LDDW with src 1 or 2 is an index into FUZZ_MAPS. */
export interface GeneratedProgram {
  readonly seed: number;
  readonly progType: number;
  readonly insns: readonly Insn[];
  /** First instruction of each function before mutation, for func_info; empty: load without BTF. */
  readonly functions: readonly number[];
  readonly flags: number;
  readonly mutated: boolean;
  /** 14 … 200 bytes. */
  readonly packet: Uint8Array;
}

/** Helpers that every one of the four program types may call, or that one of them may; wrong ones make rejects. */
const COMMON = [
  fn.BPF_FUNC_ktime_get_ns, fn.BPF_FUNC_ktime_get_boot_ns, fn.BPF_FUNC_ktime_get_coarse_ns, fn.BPF_FUNC_ktime_get_tai_ns, fn.BPF_FUNC_jiffies64,
  fn.BPF_FUNC_get_prandom_u32, fn.BPF_FUNC_get_smp_processor_id, fn.BPF_FUNC_get_numa_node_id, fn.BPF_FUNC_trace_printk, fn.BPF_FUNC_perf_event_output,
  fn.BPF_FUNC_csum_diff, fn.BPF_FUNC_strncmp, fn.BPF_FUNC_strtol, fn.BPF_FUNC_strtoul, fn.BPF_FUNC_snprintf, fn.BPF_FUNC_ringbuf_query,
  fn.BPF_FUNC_map_lookup_elem, fn.BPF_FUNC_map_update_elem, fn.BPF_FUNC_map_delete_elem, fn.BPF_FUNC_map_push_elem, fn.BPF_FUNC_map_pop_elem,
  fn.BPF_FUNC_map_peek_elem, fn.BPF_FUNC_map_lookup_percpu_elem, fn.BPF_FUNC_for_each_map_elem, fn.BPF_FUNC_probe_read_kernel, fn.BPF_FUNC_ringbuf_output,
  fn.BPF_FUNC_get_current_pid_tgid, fn.BPF_FUNC_get_current_comm, fn.BPF_FUNC_trace_vprintk, fn.BPF_FUNC_ringbuf_reserve,
];
const XDP_ONLY = [
  fn.BPF_FUNC_xdp_adjust_head, fn.BPF_FUNC_xdp_adjust_tail, fn.BPF_FUNC_xdp_adjust_meta, fn.BPF_FUNC_xdp_get_buff_len, fn.BPF_FUNC_xdp_load_bytes,
  fn.BPF_FUNC_xdp_store_bytes, fn.BPF_FUNC_redirect, fn.BPF_FUNC_fib_lookup, fn.BPF_FUNC_check_mtu, fn.BPF_FUNC_sk_lookup_tcp, fn.BPF_FUNC_sk_lookup_udp,
];
const SKB_ANY = [fn.BPF_FUNC_skb_load_bytes, fn.BPF_FUNC_skb_load_bytes_relative, fn.BPF_FUNC_get_socket_cookie, fn.BPF_FUNC_get_socket_uid];
const TC_ONLY = [
  fn.BPF_FUNC_skb_store_bytes, fn.BPF_FUNC_skb_pull_data, fn.BPF_FUNC_csum_update, fn.BPF_FUNC_csum_level, fn.BPF_FUNC_l3_csum_replace, fn.BPF_FUNC_l4_csum_replace,
  fn.BPF_FUNC_clone_redirect, fn.BPF_FUNC_get_cgroup_classid, fn.BPF_FUNC_skb_vlan_push, fn.BPF_FUNC_skb_vlan_pop, fn.BPF_FUNC_skb_change_proto,
  fn.BPF_FUNC_skb_change_type, fn.BPF_FUNC_skb_adjust_room, fn.BPF_FUNC_skb_change_tail, fn.BPF_FUNC_skb_change_head, fn.BPF_FUNC_skb_get_tunnel_key,
  fn.BPF_FUNC_redirect, fn.BPF_FUNC_get_route_realm, fn.BPF_FUNC_get_hash_recalc, fn.BPF_FUNC_set_hash_invalid, fn.BPF_FUNC_set_hash,
  fn.BPF_FUNC_fib_lookup, fn.BPF_FUNC_check_mtu, fn.BPF_FUNC_sk_lookup_tcp, fn.BPF_FUNC_sk_fullsock, fn.BPF_FUNC_skb_ecn_set_ce, fn.BPF_FUNC_skb_set_tstamp,
];

const PROG_TYPES = [BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SOCKET_FILTER] as const;
const SIMPLE: readonly Snippet[] = [
  snip.alu, snip.alu, snip.alu, snip.unary, snip.wideImmediate, snip.stackAccess, snip.stackAccess, snip.atomicOnStack, snip.contextField,
  snip.packetAccess, snip.packetAccess, snip.mapLookup, snip.mapLookup, snip.mapDirectValue, snip.mapUpdate, snip.mapDelete, snip.mapQueue,
  snip.mapInMap, snip.ringbuf, snip.redirectOrTailCall, snip.callSubprog,
];

/** The program of a seed. `mutations` forces (true) or forbids (false) mutation; by default every other program has some. */
export function generateProgram(seed: number, mutations?: boolean): GeneratedProgram {
  const r = new Random(seed);
  const progType = r.pick(PROG_TYPES);
  const { insns, functions } = build(r, progType);
  const mutated = mutations ?? r.chance(50);
  const final = mutated ? mutate(insns, r) : insns;
  return { seed, progType, insns: final, functions, flags: r.chance(5) ? 1 : 0, mutated, packet: packet(r) };
}

function build(r: Random, progType: number): { insns: Insn[]; functions: number[] } {
  const e = new Emit();
  const skb = progType !== BPF_PROG_TYPE_XDP;
  const subprogs = Array.from({ length: r.chance(35) ? r.between(1, 2) : 0 }, () => e.label());
  const callbacks = Array.from({ length: r.chance(25) ? 1 : 0 }, () => e.label());
  const scene: Scene = { e, r, skb, tc: skb && progType !== BPF_PROG_TYPE_SOCKET_FILTER, subprogs, callbacks, hasCtx: true };
  const helpers = helpersOf(progType);
  e.mov64Reg(snip.CTX, 1);
  prologue(scene);
  for (let count = r.between(2, 10); count > 0; count--) piece(scene, helpers, 2);
  epilogue(scene);
  const functions = [0];
  for (const label of subprogs.filter((each) => each.used)) {
    functions.push(e.insns.length);
    subprog(scene, label, helpers);
  }
  for (const label of callbacks.filter((each) => each.used)) {
    functions.push(e.insns.length);
    callback(scene, label);
  }
  return { insns: e.finish(), functions };
}

function helpersOf(progType: number): readonly number[] {
  if (progType === BPF_PROG_TYPE_XDP) return [...COMMON, ...XDP_ONLY, ...XDP_ONLY];
  if (progType === BPF_PROG_TYPE_SOCKET_FILTER) return [...COMMON, ...SKB_ANY, ...SKB_ANY];
  return [...COMMON, ...SKB_ANY, ...TC_ONLY, ...TC_ONLY];
}

function prologue(s: Scene): void {
  for (const register of snip.SCALARS) s.e.mov64Imm(register, s.r.imm());
  for (let slot = 1; slot <= 8; slot++) s.e.stMem(op.BPF_DW, 10, -8 * slot, s.r.imm());
}

function piece(s: Scene, helpers: readonly number[], depth: number): void {
  const inner: Snippet = (scene) => {
    for (let count = scene.r.between(1, 2); count > 0; count--) piece(scene, helpers, depth - 1);
  };
  if (depth > 0 && s.r.chance(20)) return snip.branch(inner)(s);
  if (depth > 0 && s.r.chance(6)) return snip.loop(inner)(s);
  if (s.r.chance(14)) return helperCall(s, helpers);
  if (s.r.chance(1)) return helperCall(s, [s.r.between(1, HELPERS.length - 1)]);
  if (s.r.chance(1)) return oddity(s);
  s.r.pick(SIMPLE)(s);
}

/** Rows of the instruction table that valid programs of these types seldom hold: kfuncs, BTF ids, map indices, address-space casts. */
function oddity(s: Scene): void {
  switch (s.r.below(5)) {
    case 0: return s.e.insn(op.BPF_JMP | op.BPF_CALL, 0, op.BPF_PSEUDO_KFUNC_CALL, 0, s.r.between(1, 1000));
    case 1: return s.e.lddw(1, op.BPF_PSEUDO_BTF_ID, s.r.between(1, 1000));
    case 2: return s.e.lddw(1, op.BPF_PSEUDO_MAP_IDX, 0);
    case 3: return s.e.lddw(1, op.BPF_PSEUDO_MAP_IDX_VALUE, 0);
    default: return s.e.alu64Reg(op.BPF_MOV, 7, 8, op.BPF_ADDR_SPACE_CAST);
  }
}

function epilogue(s: Scene): void {
  s.e.mov64Reg(0, 7);
  s.e.alu64Reg(op.BPF_XOR, 0, 8);
  s.e.alu64Reg(op.BPF_ADD, 0, 9);
  s.e.exit();
}

function subprog(s: Scene, label: Label, helpers: readonly number[]): void {
  s.e.place(label);
  s.e.mov64Reg(snip.CTX, 1);
  prologue({ ...s, subprogs: [], callbacks: [] });
  s.e.alu64Reg(op.BPF_XOR, 7, 2);
  s.e.alu64Reg(op.BPF_XOR, 8, 3);
  for (let count = s.r.between(1, 4); count > 0; count--) piece({ ...s, subprogs: [], callbacks: [] }, helpers, 1);
  epilogue(s);
}

/** A bpf_loop callback: r1 index, r2 the context pointer (the caller's fp-64); returns 0 or 1. */
function callback(s: Scene, label: Label): void {
  s.e.place(label);
  s.e.ldxMem(op.BPF_DW, 3, 2, 8);
  s.e.alu64Reg(op.BPF_ADD, 3, 1);
  s.e.stxMem(op.BPF_DW, 2, 3, 8);
  s.e.mov64Imm(0, 0);
  if (s.r.chance(40)) {
    const out = s.e.label();
    s.e.jmpImm(op.BPF_JLT, 1, 2, out);
    s.e.mov64Imm(0, 1);
    s.e.place(out);
  }
  s.e.exit();
}

/** An Ethernet frame: often IPv4 or IPv6 with TCP or UDP, sometimes random bytes. */
function packet(r: Random): Uint8Array {
  const bytes = r.bytes(r.between(14, 200));
  if (r.chance(20) || bytes.length < 54) {
    if (bytes.length >= 14) bytes.set([0x88, 0xb5], 12);
    return bytes;
  }
  if (r.chance(60)) {
    bytes.set([0x08, 0x00, 0x45, 0x00], 12);
    bytes[23] = r.pick([6, 17, 1]);
  } else {
    bytes.set([0x86, 0xdd, 0x60], 12);
    bytes[20] = r.pick([6, 17, 58]);
  }
  return bytes;
}
