// Context records as the kernel and its helpers handle them: an XDP frame (XDP_BUFF) and a packet (SK_BUFF) of spec/context.ts.
// Invariant: positions are memory offsets here and addresses in the record; mac_header and its kin count from `head` in the record, and are
// memory offsets here, undefined where the header's place isn't known. Nothing is cached: programs write to the same records.

import { SK_BUFF, XDP_BUFF } from '../spec/context.ts';
import { SKB_SHARED_INFO_BYTES } from '../spec/limits.ts';
import { KERNEL_BASE_HI } from './memory.ts';
import type { KernelMemory } from './memory.ts';

/** A header offset that says "not set" (the kernel's (u16)~0). */
export const HEADER_UNSET = 0xffff;

/** Fields of a record in memory. */
class ContextRecord {
  readonly memory: KernelMemory;
  /** Offset of the record. */
  readonly record: number;
  constructor(memory: KernelMemory, record: number) {
    this.memory = memory;
    this.record = record;
  }
  u32(field: number): number {
    return this.memory.view.getUint32(this.record + field, true);
  }
  setU32(field: number, value: number): void {
    this.memory.view.setUint32(this.record + field, value, true);
  }
  u8(field: number): number {
    return this.memory.view.getUint8(this.record + field);
  }
  setU8(field: number, value: number): void {
    this.memory.view.setUint8(this.record + field, value);
  }
  u64(field: number): bigint {
    return this.memory.view.getBigUint64(this.record + field, true);
  }
  setU64(field: number, value: bigint): void {
    this.memory.view.setBigUint64(this.record + field, value, true);
  }
  /** The memory offset that an address field holds; 0 for NULL. */
  pointer(field: number): number {
    return this.u32(field);
  }
  /** Writes an address in two halves: per packet, a bigint would cost more than the program. */
  setPointer(field: number, offset: number): void {
    this.setU32(field, offset);
    this.setU32(field + 4, offset === 0 ? 0 : KERNEL_BASE_HI);
  }
  /** Copies bytes into the record. */
  setBytes(field: number, bytes: Uint8Array): void {
    this.memory.bytes.set(bytes, this.record + field);
  }
  /** A copy of `length` bytes of the record. */
  bytes(field: number, length: number): Uint8Array {
    return this.memory.bytes.slice(this.record + field, this.record + field + length);
  }
}

/** What a fresh XDP frame is made of: `frame` the offset of its memory, `frameBytes` all of it, headroom and tail room included. */
export interface XdpFrame {
  readonly frame: number;
  readonly frameBytes: number;
  readonly headroom: number;
  readonly dataLength: number;
  readonly ingressIfindex?: number;
  readonly rxQueueIndex?: number;
  readonly egressIfindex?: number;
}

/** An XDP frame's record. */
export class XdpBuff extends ContextRecord {
  get data(): number { return this.pointer(XDP_BUFF.data); }
  set data(offset: number) { this.setPointer(XDP_BUFF.data, offset); }
  get dataEnd(): number { return this.pointer(XDP_BUFF.data_end); }
  set dataEnd(offset: number) { this.setPointer(XDP_BUFF.data_end, offset); }
  /** Where metadata starts; `data` when there is none. */
  get dataMeta(): number { return this.pointer(XDP_BUFF.data_meta); }
  set dataMeta(offset: number) { this.setPointer(XDP_BUFF.data_meta, offset); }
  get dataHardStart(): number { return this.pointer(XDP_BUFF.data_hard_start); }
  /** Where the tail may grow to. */
  get dataHardEnd(): number { return this.dataHardStart + this.u32(XDP_BUFF.frame_sz) - SKB_SHARED_INFO_BYTES; }
  get length(): number { return this.dataEnd - this.data; }
  get ingressIfindex(): number { return this.u32(XDP_BUFF.ingress_ifindex); }

  /** Fills the record for a packet that lies in its frame already. */
  init(frame: XdpFrame): void {
    this.memory.bytes.fill(0, this.record, this.record + XDP_BUFF.sizeBytes);
    this.setPointer(XDP_BUFF.data_hard_start, frame.frame);
    this.setU32(XDP_BUFF.frame_sz, frame.frameBytes);
    this.data = frame.frame + frame.headroom;
    this.dataMeta = this.data;
    this.dataEnd = this.data + frame.dataLength;
    this.setU32(XDP_BUFF.ingress_ifindex, frame.ingressIfindex ?? 0);
    this.setU32(XDP_BUFF.rx_queue_index, frame.rxQueueIndex ?? 0);
    this.setU32(XDP_BUFF.egress_ifindex, frame.egressIfindex ?? 0);
  }
}

/** What a fresh packet is made of: `head` … `end` its buffer, the packet's bytes at `head + headroom`; headers count from the packet's start. */
export interface PacketFrame {
  readonly head: number;
  readonly bufferBytes: number;
  readonly headroom: number;
  readonly dataLength: number;
  /** In network order, as two bytes of the Ethernet header read: 0x0800 is IPv4. */
  readonly etherType: number;
  /** Where the link-layer and network headers start, from the packet's start; the link layer may lie before it (negative). */
  readonly macOffset: number;
  readonly networkOffset: number;
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >> 8) & 0xff);

/** A packet's record. All of its bytes lie in one piece (no fragments). */
export class SkBuff extends ContextRecord {
  get data(): number { return this.pointer(SK_BUFF.data); }
  get dataEnd(): number { return this.pointer(SK_BUFF.data_end); }
  get dataMeta(): number { return this.pointer(SK_BUFF.data_meta); }
  get head(): number { return this.pointer(SK_BUFF.head); }
  /** Where the tail may grow to. */
  get end(): number { return this.pointer(SK_BUFF.end); }
  get length(): number { return this.u32(SK_BUFF.len); }
  get ifindex(): number { return this.u32(SK_BUFF.ifindex); }
  /** EtherType as a number: 0x0800 for IPv4. */
  get etherType(): number { return swap16(this.u32(SK_BUFF.protocol)); }
  set etherType(type: number) { this.setU32(SK_BUFF.protocol, swap16(type)); }

  /** Moves the packet's borders; metadata, if any, ends where data starts and is given up when it doesn't any more. */
  setData(data: number, dataEnd: number): void {
    this.setPointer(SK_BUFF.data, data);
    this.setPointer(SK_BUFF.data_end, dataEnd);
    this.setPointer(SK_BUFF.data_meta, data);
    this.setU32(SK_BUFF.len, dataEnd - data);
  }

  /** Where a header starts, undefined when it isn't set. */
  header(field: 'mac_header' | 'network_header' | 'transport_header'): number | undefined {
    const offset = this.u32(SK_BUFF[field]);
    return offset >= HEADER_UNSET ? undefined : this.head + offset;
  }
  setHeader(field: 'mac_header' | 'network_header' | 'transport_header', at: number | undefined): void {
    this.setU32(SK_BUFF[field], at === undefined ? HEADER_UNSET : at - this.head);
  }

  /** Fills the record for a packet that lies in its buffer already; fields that PacketFrame doesn't name are 0. */
  init(frame: PacketFrame): void {
    this.memory.bytes.fill(0, this.record, this.record + SK_BUFF.sizeBytes);
    const data = frame.head + frame.headroom;
    this.setPointer(SK_BUFF.head, frame.head);
    this.setPointer(SK_BUFF.end, frame.head + frame.bufferBytes);
    this.setData(data, data + frame.dataLength);
    this.etherType = frame.etherType;
    this.setHeader('mac_header', data + frame.macOffset);
    this.setHeader('network_header', data + frame.networkOffset);
    this.setHeader('transport_header', undefined);
    this.setU32(SK_BUFF.mac_len, frame.networkOffset - frame.macOffset);
    this.setU32(SK_BUFF.wire_len, frame.dataLength);
  }
}
