// LD_ABS and LD_IND: bytes of the packet of the __sk_buff in r6, from network to host order, into r0.
// Invariant: bytes outside [head, end of the linear data) leave the function with r0 = 0. Offsets from SKF_NET_OFF on count from the network
// header, those from SKF_LL_OFF on from the link-layer header.
// Source: RFC 9669 section 5.5; net/core/filter.c bpf_skb_load_helper_*, kernel/bpf/core.c bpf_internal_load_pointer_neg_helper.

import { SK_BUFF } from '../spec/context.ts';
import { SKF_LL_OFF, SKF_NET_OFF } from '../spec/filter.ts';
import { BPF_ABS, BPF_B, BPF_H, BPF_IND, BPF_LD, BPF_REG_6, BPF_W, sizeBytes } from '../spec/opcodes.ts';
import { toOffset } from '../vm/memory.ts';
import type { Frame, Handler } from './frame.ts';

/** Where in memory the packet offset `offset` (signed 32 bits) points, or undefined below SKF_LL_OFF. */
function startOf(view: DataView, skb: number, offset: number): number | undefined {
  const pointer = (field: number): number => toOffset(view.getBigUint64(skb + field, true));
  if (offset >= 0) return pointer(SK_BUFF.data) + offset;
  const behind = (header: number, base: number): number => pointer(SK_BUFF.head) + view.getUint32(skb + header, true) + offset - base;
  if (offset >= SKF_NET_OFF) return behind(SK_BUFF.network_header, SKF_NET_OFF);
  return offset >= SKF_LL_OFF ? behind(SK_BUFF.mac_header, SKF_LL_OFF) : undefined;
}

function readPacket(frame: Frame, offset: number, bytes: number): bigint | undefined {
  const { view } = frame.prog.env.memory;
  const skb = toOffset(frame.reg(BPF_REG_6));
  const start = startOf(view, skb, offset);
  const head = toOffset(view.getBigUint64(skb + SK_BUFF.head, true));
  const end = toOffset(view.getBigUint64(skb + SK_BUFF.data_end, true));
  if (start === undefined || start < head || start + bytes > end) return undefined;
  let value = 0n;
  for (let i = 0; i < bytes; i++) value = (value << 8n) | BigInt(view.getUint8(start + i));
  return value;
}

const packetLoad = (size: number, indirect: boolean): Handler => (frame, op) => {
  const offset = indirect ? Number(BigInt.asIntN(32, frame.reg(op.src) + op.imm64)) : op.imm;
  const value = readPacket(frame, offset, sizeBytes(size));
  if (value === undefined) frame.exit(0n);
  else frame.regs[0] = value;
};

/** Handlers of packet loads by opcode. */
export const PACKET_LOAD_HANDLERS: readonly (readonly [number, Handler])[] = [BPF_B, BPF_H, BPF_W].flatMap((size): [number, Handler][] => [
  [BPF_LD | BPF_ABS | size, packetLoad(size, false)],
  [BPF_LD | BPF_IND | size, packetLoad(size, true)],
]);
