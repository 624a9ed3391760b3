// The hooks that see an sk_buff (TC classifiers and actions, socket filters): one linear packet and its kernel-side record.
// Invariant: `put` sets everything that a program can see; data, len and headers are consistent with each other as eth_type_trans leaves them.
// Source: net/ethernet/eth.c eth_type_trans; net/core/dev.c (VLAN tags are taken off before any hook); net/bpf/test_run.c.

import { SK_BUFF } from '../../spec/context.ts';
import { ETH_HLEN } from '../../spec/limits.ts';
import { SkBuff } from '../../vm/context.ts';
import type { Machine } from '../machine.ts';
import type { NetDevice } from '../net.ts';
import { PacketMemory } from '../packet-memory.ts';

/** Room before a packet for heads pushed on by programs; the kernel reallocates where we have it ready. */
const HEAD_ROOM = 16 * 1024;
const TAIL_ROOM = 80 * 1024;
const ETH_P_802_3_MIN = 0x0600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const PACKET_HOST = 0;
const PACKET_BROADCAST = 1;
const PACKET_MULTICAST = 2;
const PACKET_OTHERHOST = 3;

/** How a packet comes to a hook. */
export interface SkbArrival {
  readonly device: NetDevice;
  /** Data starts at the link-layer header (TC, packet sockets) rather than behind it. */
  readonly linkLayer: boolean;
  /** skb->skb_iif; 0 before the stack has set it (BPF_PROG_TEST_RUN). */
  readonly ingressIfindex: number;
  /** Take a VLAN tag off into vlan_tci, as the stack does on receive; BPF_PROG_TEST_RUN doesn't. */
  readonly untag: boolean;
}

/** The packet and record that programs run on, one at a time. */
export class SkbHook {
  readonly buff: SkBuff;
  readonly #machine: Machine;
  readonly #memory: PacketMemory;
  constructor(machine: Machine) {
    this.#machine = machine;
    this.#memory = new PacketMemory(machine);
    this.buff = new SkBuff(machine.memory, machine.memory.alloc(SK_BUFF.sizeBytes, 64));
  }

  /** Offset of the context: r1 of a run. */
  get context(): number {
    return this.buff.record;
  }

  /** Lays out an Ethernet frame of at least 14 bytes. */
  put(frame: Uint8Array, arrival: SkbArrival): void {
    const tag = arrival.untag ? vlanTag(frame) : undefined;
    const data = tag === undefined ? frame : withoutTag(frame);
    const head = this.#memory.reserve(HEAD_ROOM + data.length + TAIL_ROOM);
    this.#machine.memory.bytes.set(data, head + HEAD_ROOM);
    const skipped = arrival.linkLayer ? 0 : ETH_HLEN;
    const { buff } = this;
    buff.init({
      head, bufferBytes: HEAD_ROOM + data.length + TAIL_ROOM, headroom: HEAD_ROOM + skipped, dataLength: data.length - skipped,
      etherType: protocolOf(data), macOffset: -skipped, networkOffset: ETH_HLEN - skipped,
    });
    buff.setU32(SK_BUFF.pkt_type, packetType(data, arrival.device));
    buff.setU32(SK_BUFF.ifindex, arrival.device.ifindex);
    buff.setU32(SK_BUFF.ingress_ifindex, arrival.ingressIfindex);
    if (tag !== undefined) {
      buff.setU32(SK_BUFF.vlan_present, 1);
      buff.setU32(SK_BUFF.vlan_tci, tag.tci);
      buff.setU32(SK_BUFF.vlan_proto, swap16(tag.protocol));
    }
  }

  /** Moves the start of the data to the link-layer header and zeroes what lies between, as BPF_PROG_TEST_RUN does after a run. */
  pushZeroedLinkLayer(): void {
    const start = this.buff.data - ETH_HLEN;
    this.#machine.memory.bytes.fill(0, start, start + ETH_HLEN);
    this.buff.setData(start, this.buff.data + this.buff.length);
  }

  /** A copy of the packet from where its data starts now; a tag that was taken off stands in its place again if asked. */
  packet(retag = false): Uint8Array {
    const { buff } = this;
    const bytes = this.#machine.memory.bytes.slice(buff.data, buff.data + buff.length);
    if (!retag || buff.u32(SK_BUFF.vlan_present) === 0 || bytes.length < ETH_HLEN) return bytes;
    return withTag(bytes, swap16(buff.u32(SK_BUFF.vlan_proto)), buff.u32(SK_BUFF.vlan_tci));
  }
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >> 8) & 0xff);
const be16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

/** skb->protocol as a number: the EtherType, or what the kernel puts for frames that have a length there. */
function protocolOf(frame: Uint8Array): number {
  const type = be16(frame, 12);
  if (type >= ETH_P_802_3_MIN) return type;
  const rawIpx = frame.length >= ETH_HLEN + 2 && be16(frame, ETH_HLEN) === 0xffff;
  return rawIpx ? ETH_P_802_3 : ETH_P_802_2;
}

function packetType(frame: Uint8Array, device: NetDevice): number {
  const destination = frame.subarray(0, 6);
  if (destination.every((byte, i) => byte === device.mac[i])) return PACKET_HOST;
  if (((destination[0] as number) & 1) === 0) return PACKET_OTHERHOST;
  return destination.every((byte) => byte === 0xff) ? PACKET_BROADCAST : PACKET_MULTICAST;
}

function vlanTag(frame: Uint8Array): { protocol: number; tci: number } | undefined {
  if (frame.length < ETH_HLEN + 4) return undefined;
  const protocol = be16(frame, 12);
  return protocol === ETH_P_8021Q || protocol === ETH_P_8021AD ? { protocol, tci: be16(frame, 14) } : undefined;
}

function withoutTag(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length - 4);
  bytes.set(frame.subarray(0, 12));
  bytes.set(frame.subarray(16), 12);
  return bytes;
}

function withTag(frame: Uint8Array, protocol: number, tci: number): Uint8Array {
  const bytes = new Uint8Array(frame.length + 4);
  bytes.set(frame.subarray(0, 12));
  bytes.set([protocol >> 8, protocol & 0xff, tci >> 8, tci & 0xff], 12);
  bytes.set(frame.subarray(12), 16);
  return bytes;
}
