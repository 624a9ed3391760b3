// Checksums on their own: bpf_csum_diff, bpf_csum_update, bpf_csum_level.
// Source: net/core/filter.c; since Linux 6.13 bpf_csum_diff takes any sizes and folds its result to 16 bits on every architecture.

import { SK_BUFF } from '../spec/context.ts';
import { EACCES, EINVAL, ENOTSUPP } from '../spec/errno.ts';
import { BPF_CSUM_LEVEL_DEC, BPF_CSUM_LEVEL_INC, BPF_CSUM_LEVEL_QUERY, BPF_CSUM_LEVEL_RESET } from '../spec/helper-flags.ts';
import type { SkBuff } from '../vm/context.ts';
import { csumAdd, csumPartial, csumSub, fold16, not32 } from './checksum.ts';
import { helper } from './define.ts';
import { CHECKSUM_COMPLETE, CHECKSUM_NONE, CHECKSUM_UNNECESSARY, skbAt } from './packet.ts';

const SKB_MAX_CSUM_LEVEL = 3;

export const csumDiff = helper('bpf_csum_diff', ['ptr', 'u32', 'ptr', 'u32', 'u32'], 's32', ({ memory }, from, fromSize, to, toSize, seed) => {
  if (fromSize > 0 && toSize > 0) return fold16(csumSub(csumPartial(memory, to, toSize, seed), csumPartial(memory, from, fromSize, 0)));
  if (toSize > 0) return fold16(csumPartial(memory, to, toSize, seed));
  return fold16(fromSize > 0 ? not32(csumPartial(memory, from, fromSize, not32(seed))) : seed);
});

export const csumUpdate = helper('bpf_csum_update', ['ptr', 'u32'], 'u64', (host, ctx, csum) => {
  const skb = skbAt(host, ctx);
  if (skb.u8(SK_BUFF.ip_summed) !== CHECKSUM_COMPLETE) return BigInt(-ENOTSUPP);
  skb.setU32(SK_BUFF.csum, csumAdd(skb.u32(SK_BUFF.csum), csum));
  return BigInt(skb.u32(SK_BUFF.csum));
});

/** How many checksums the device has checked, beginning with the outermost; -1: none. */
const checkedLevel = (skb: SkBuff): number => (skb.u8(SK_BUFF.ip_summed) === CHECKSUM_UNNECESSARY ? skb.u8(SK_BUFF.csum_level) : -1);

function setCheckedLevel(skb: SkBuff, level: number): void {
  skb.setU8(SK_BUFF.ip_summed, level < 0 ? CHECKSUM_NONE : CHECKSUM_UNNECESSARY);
  skb.setU8(SK_BUFF.csum_level, Math.max(level, 0));
}

/** Forgets what the device checked. */
export function resetChecked(skb: SkBuff): void {
  if (checkedLevel(skb) >= 0) setCheckedLevel(skb, -1);
}

function raiseChecked(skb: SkBuff): void {
  const summed = skb.u8(SK_BUFF.ip_summed);
  if (summed === CHECKSUM_NONE || summed === CHECKSUM_UNNECESSARY) setCheckedLevel(skb, Math.min(checkedLevel(skb) + 1, SKB_MAX_CSUM_LEVEL));
}

export const csumLevel = helper('bpf_csum_level', ['ptr', 'u64'], 's32', (host, ctx, what) => {
  const skb = skbAt(host, ctx);
  const level = checkedLevel(skb);
  switch (what) {
    case BigInt(BPF_CSUM_LEVEL_INC):
      raiseChecked(skb);
      return 0;
    case BigInt(BPF_CSUM_LEVEL_DEC):
      if (level >= 0) setCheckedLevel(skb, level - 1);
      return 0;
    case BigInt(BPF_CSUM_LEVEL_RESET):
      resetChecked(skb);
      return 0;
    case BigInt(BPF_CSUM_LEVEL_QUERY):
      return level < 0 ? -EACCES : level;
    default:
      return -EINVAL;
  }
});
