// The XDP hook: a frame laid out as a driver would (256 bytes of headroom, room for skb_shared_info behind), and its xdp_buff.
// Invariant: `put` sets everything that a program can see; nothing of the packet before is left (tail room is zeroed by the helper that grows into it).
// Source: include/net/xdp.h xdp_init_buff, xdp_prepare_buff; net/bpf/test_run.c.

import { XDP_BUFF } from '../../spec/context.ts';
import { XDP_PACKET_HEADROOM } from '../../spec/limits.ts';
import { XdpBuff } from '../../vm/context.ts';
import type { Machine } from '../machine.ts';
import { PacketMemory } from '../packet-memory.ts';

/** SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) on x86-64. */
export const XDP_TAILROOM = 320;
const PAGE_BYTES = 4096;
/** The longest packet that fits a frame of one page. */
export const XDP_MAX_LINEAR = PAGE_BYTES - XDP_PACKET_HEADROOM - XDP_TAILROOM;

/** Where a frame came in. */
export interface XdpIngress { readonly ifindex: number; readonly rxQueue: number }

/** The frame and context that programs run on, one at a time. */
export class XdpHook {
  readonly #machine: Machine;
  readonly #frame: PacketMemory;
  readonly #buff: XdpBuff;
  constructor(machine: Machine) {
    this.#machine = machine;
    this.#frame = new PacketMemory(machine);
    this.#buff = new XdpBuff(machine.memory, machine.memory.alloc(XDP_BUFF.sizeBytes, 64));
  }

  /** Offset of the context: r1 of a run. */
  get context(): number {
    return this.#buff.record;
  }

  /** Lays out `data`, whose first `metaBytes` are metadata in front of the packet. */
  put(data: Uint8Array, ingress: XdpIngress, metaBytes = 0): void {
    const frameBytes = Math.max(PAGE_BYTES, XDP_PACKET_HEADROOM - metaBytes + data.length + XDP_TAILROOM);
    const frame = this.#frame.reserve(frameBytes);
    const { bytes } = this.#machine.memory;
    bytes.fill(0, frame, frame + XDP_PACKET_HEADROOM);
    bytes.set(data, frame + XDP_PACKET_HEADROOM - metaBytes);
    const buff = this.#buff;
    buff.init({ frame, frameBytes, headroom: XDP_PACKET_HEADROOM, dataLength: data.length - metaBytes, ingressIfindex: ingress.ifindex, rxQueueIndex: ingress.rxQueue });
    if (metaBytes > 0) buff.dataMeta = buff.data - metaBytes;
  }

  /** Bytes of metadata before the packet now. */
  get metaBytes(): number {
    return Math.max(0, this.#buff.data - this.#buff.dataMeta);
  }

  /** A copy of the packet now, with its metadata in front if asked. */
  packet(withMeta = false): Uint8Array {
    return this.#machine.memory.bytes.slice(withMeta ? this.#buff.dataMeta : this.#buff.data, this.#buff.dataEnd);
  }
}
