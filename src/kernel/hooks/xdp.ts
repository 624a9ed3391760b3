// The XDP hook: a frame laid out as a driver would (256 bytes of headroom, room for skb_shared_info behind), and its xdp_buff.
// Invariant: `put` sets everything that a program can see; nothing of the packet before is left.
// Source: include/net/xdp.h xdp_init_buff, xdp_prepare_buff; net/bpf/test_run.c.

import { XDP_BUFF } from '../../spec/context.ts';
import type { Machine } from '../machine.ts';
import { ContextRecord, PacketMemory } from '../packet-memory.ts';

export const XDP_PACKET_HEADROOM = 256;
/** SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) on x86-64. */
export const XDP_TAILROOM = 320;
const PAGE_BYTES = 4096;
/** The longest packet that fits a frame of one page. */
export const XDP_MAX_LINEAR = PAGE_BYTES - XDP_PACKET_HEADROOM - XDP_TAILROOM;

/** Where a frame came in. */
export interface XdpIngress { readonly ifindex: number; readonly rxQueue: number }

/** One CPU's frame and context. */
export class XdpHook {
  readonly #machine: Machine;
  readonly #frame: PacketMemory;
  readonly #context: ContextRecord;
  constructor(machine: Machine) {
    this.#machine = machine;
    this.#frame = new PacketMemory(machine.memory);
    this.#context = new ContextRecord(machine.memory, XDP_BUFF.sizeBytes);
  }

  /** Offset of the context: r1 of a run. */
  get context(): number {
    return this.#context.offset;
  }

  /** Lays out `data`, whose first `metaBytes` are metadata in front of the packet. */
  put(data: Uint8Array, ingress: XdpIngress, metaBytes = 0): void {
    const frameBytes = Math.max(PAGE_BYTES, XDP_PACKET_HEADROOM - metaBytes + data.length + XDP_TAILROOM);
    const start = this.#frame.reserve(frameBytes);
    const meta = start + XDP_PACKET_HEADROOM - metaBytes;
    const { bytes } = this.#machine.memory;
    bytes.fill(0, start, meta);
    bytes.set(data, meta);
    bytes.fill(0, meta + data.length, start + frameBytes);
    const context = this.#context;
    context.clear();
    context.setPointer(XDP_BUFF.data_hard_start, start);
    context.setPointer(XDP_BUFF.data_meta, meta);
    context.setPointer(XDP_BUFF.data, meta + metaBytes);
    context.setPointer(XDP_BUFF.data_end, meta + data.length);
    context.setU32(XDP_BUFF.ingress_ifindex, ingress.ifindex);
    context.setU32(XDP_BUFF.rx_queue_index, ingress.rxQueue);
    context.setU32(XDP_BUFF.frame_sz, frameBytes);
  }

  /** Bytes of metadata before the packet now. */
  get metaBytes(): number {
    return Math.max(0, this.#context.pointer(XDP_BUFF.data) - this.#context.pointer(XDP_BUFF.data_meta));
  }

  /** A copy of the packet now, with its metadata in front if asked. */
  packet(withMeta = false): Uint8Array {
    const from = this.#context.pointer(withMeta ? XDP_BUFF.data_meta : XDP_BUFF.data);
    return this.#machine.memory.bytes.slice(from, this.#context.pointer(XDP_BUFF.data_end));
  }
}
