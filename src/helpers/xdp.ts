// Helpers on XDP frames: moving the borders of data and metadata, bytes in and out.
// Invariant: data_hard_start + sizeof(xdp_frame) <= data_meta <= data <= data_end - ETH_HLEN, data_end <= the frame's end without skb_shared_info.
// Source: net/core/filter.c, include/net/xdp.h, Linux 6.18; frames are in one piece (no fragments).

import { EACCES, EFAULT, EINVAL, ENOTSUPP } from '../spec/errno.ts';
import { ETH_HLEN, XDP_FRAME_BYTES, XDP_MAX_METALEN } from '../spec/limits.ts';
import { XdpBuff } from '../vm/context.ts';
import type { HelperHost } from '../vm/host.ts';
import { helper } from './define.ts';

/** The frame of a context. */
export const xdpAt = (host: HelperHost, ctx: number): XdpBuff => new XdpBuff(host.memory, ctx);

/** The driver has no metadata: it says so by a data_meta behind data. */
const metaUnsupported = (xdp: XdpBuff): boolean => xdp.dataMeta > xdp.data;

export const xdpAdjustHead = helper('bpf_xdp_adjust_head', ['ptr', 's32'], 's32', (host, ctx, offset) => {
  const xdp = xdpAt(host, ctx);
  const metaLength = metaUnsupported(xdp) ? 0 : xdp.data - xdp.dataMeta;
  const data = xdp.data + offset;
  if (data < xdp.dataHardStart + XDP_FRAME_BYTES + metaLength || data > xdp.dataEnd - ETH_HLEN) return -EINVAL;
  if (metaLength > 0) host.memory.bytes.copyWithin(xdp.dataMeta + offset, xdp.dataMeta, xdp.data);
  xdp.dataMeta += offset;
  xdp.data = data;
  return 0;
});

export const xdpAdjustTail = helper('bpf_xdp_adjust_tail', ['ptr', 's32'], 's32', (host, ctx, offset) => {
  const xdp = xdpAt(host, ctx);
  const end = xdp.dataEnd + offset;
  if (end > xdp.dataHardEnd || end < xdp.data + ETH_HLEN) return -EINVAL;
  if (offset > 0) host.memory.bytes.fill(0, xdp.dataEnd, end);
  xdp.dataEnd = end;
  return 0;
});

export const xdpAdjustMeta = helper('bpf_xdp_adjust_meta', ['ptr', 's32'], 's32', (host, ctx, offset) => {
  const xdp = xdpAt(host, ctx);
  if (metaUnsupported(xdp)) return -ENOTSUPP;
  const meta = xdp.dataMeta + offset;
  if (meta < xdp.dataHardStart + XDP_FRAME_BYTES || meta > xdp.data) return -EINVAL;
  const length = xdp.data - meta;
  if (length % 4 !== 0 || length > XDP_MAX_METALEN) return -EACCES;
  xdp.dataMeta = meta;
  return 0;
});

export const xdpGetBuffLen = helper('bpf_xdp_get_buff_len', ['ptr'], 'u32', (host, ctx) => xdpAt(host, ctx).length);

/** Where `len` bytes at `offset` of the packet lie, or a negative errno. */
function placeIn(xdp: XdpBuff, offset: number, len: number): number {
  if (offset > 0xffff || len > 0xffff) return -EFAULT;
  return offset + len > xdp.length ? -EINVAL : xdp.data + offset;
}

export const xdpLoadBytes = helper('bpf_xdp_load_bytes', ['ptr', 'u32', 'ptr', 'u32'], 's32', (host, ctx, offset, buf, len) => {
  const at = placeIn(xdpAt(host, ctx), offset, len);
  if (at < 0) return at;
  host.memory.bytes.copyWithin(buf, at, at + len);
  return 0;
});

export const xdpStoreBytes = helper('bpf_xdp_store_bytes', ['ptr', 'u32', 'ptr', 'u32'], 's32', (host, ctx, offset, buf, len) => {
  const at = placeIn(xdpAt(host, ctx), offset, len);
  if (at < 0) return at;
  host.memory.bytes.copyWithin(at, buf, buf + len);
  return 0;
});
