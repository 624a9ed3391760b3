// LD_ABS and LD_IND: bytes of the packet of the __sk_buff in r6, from network to host order, into r0.
// Invariant: bytes outside [head, end of the linear data) end the function with r0 = 0. Offsets from SKF_NET_OFF on count from the network
// header, those from SKF_LL_OFF on from the link-layer header. LD_IND's offset is the low 32 bits of src + imm, signed.
// Source: RFC 9669 section 5.5 (legacy packet access); net/core/filter.c bpf_skb_load_helper_*, kernel/bpf/core.c bpf_internal_load_pointer_neg_helper.

import type { Insn } from '../insn/insn.ts';
import { SK_BUFF } from '../spec/context.ts';
import { SKF_LL_OFF, SKF_NET_OFF } from '../spec/filter.ts';
import { BPF_ABS, BPF_H, BPF_REG_0, BPF_REG_6, BPF_W, insnMode, insnSize, sizeBytes } from '../spec/opcodes.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { Local } from '../wasm/function-builder.ts';
import { pushSwapped16, pushSwapped32 } from './lower-alu.ts';
import type { Scope } from './scope.ts';

const address = (skb: Expr<'i32'>, field: 'data' | 'data_end' | 'head'): Expr<'i64'> => i64.load(skb, { offset: SK_BUFF[field] });

/** Address of the byte `offset` - `base` behind a header whose place the record gives relative to head. */
const behindHeader = (skb: Expr<'i32'>, header: 'network_header' | 'mac_header', offset: Expr<'i32'>, base: number): Expr<'i64'> =>
  i64.add(i64.add(address(skb, 'head'), i64.load32_u(skb, { offset: SK_BUFF[header] })), i64.extend_i32_s(i32.sub(offset, base)));

function returnZero(s: Scope): void {
  s.f.return(0n);
}

/** The address that `offset` means; returns 0 from the function for offsets below SKF_LL_OFF. */
function startOf(s: Scope, skb: Expr<'i32'>, offset: Expr<'i32'>): Local<'i64'> {
  const { f } = s;
  const start = s.scratch('i64', 'packet_start');
  f.if(i32.ge_s(offset, 0), () => f.set(start, i64.add(address(skb, 'data'), i64.extend_i32_s(offset))), () => {
    f.if(i32.ge_s(offset, SKF_NET_OFF), () => f.set(start, behindHeader(skb, 'network_header', offset, SKF_NET_OFF)), () => {
      f.if(i32.lt_s(offset, SKF_LL_OFF), () => returnZero(s));
      f.set(start, behindHeader(skb, 'mac_header', offset, SKF_LL_OFF));
    });
  });
  return start;
}

function pushHostOrder(s: Scope, size: number, at: Expr<'i32'>): void {
  const word = s.scratch('i32', 'packet_word');
  const load = size === BPF_W ? i32.load(at, { align: 1 }) : size === BPF_H ? i32.load16_u(at, { align: 1 }) : i32.load8_u(at);
  s.f.set(word, load);
  if (size === BPF_W) pushSwapped32(s, () => s.pushLocal(word));
  else if (size === BPF_H) pushSwapped16(s, () => s.pushLocal(word));
  else s.pushLocal(word);
}

/** Writes LD_ABS or LD_IND. */
export function lowerPacketLoad(s: Scope, insn: Insn): void {
  const { f } = s;
  const size = insnSize(insn.code);
  const skb = s.scratch('i32', 'skb');
  f.set(skb, s.reg32(BPF_REG_6));
  const offset = s.scratch('i32', 'packet_offset');
  f.set(offset, insnMode(insn.code) === BPF_ABS ? insn.imm : i32.add(s.reg32(insn.src), insn.imm));
  const start = startOf(s, skb, offset);
  const outside = i32.or(
    i64.lt_u(start, address(skb, 'head')),
    i64.gt_u(i64.add(start, BigInt(sizeBytes(size))), address(skb, 'data_end')),
  );
  f.if(outside, () => returnZero(s));
  pushHostOrder(s, size, i32.wrap_i64(start));
  s.popReg32(BPF_REG_0);
}
