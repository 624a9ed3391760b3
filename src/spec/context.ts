// Contexts of packet programs: the fields of xdp_md and __sk_buff as programs see them, who may read and write which,
// and where each value lives in our own kernel-side record, so that both executors run the same rewritten access.
// Invariant: a rewritten load keeps its width (narrow stays narrow) and only its offset changes, but for the pointer fields: those 4-byte user
// fields become 8-byte loads of an address. A store takes the record's width, `storeBytes`.
// Source: uapi/linux/bpf.h `struct xdp_md`, `struct __sk_buff`; net/core/filter.c *_is_valid_access, bpf_convert_ctx_access, Linux 6.18.

import { BPF_XDP_DEVMAP } from './attach-types.ts';
import type { ProgTypeName } from './prog-types.ts';
import { PROG_TYPES } from './prog-types.ts';
import type { KernelVersion } from './versions.ts';
import {
  PTR_TO_FLOW_KEYS, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON_OR_NULL, SCALAR_VALUE,
} from './verifier-types.ts';

/** Byte offsets in the kernel-side record of an XDP frame. The first four are u64 addresses, the others u32. */
export const XDP_BUFF = {
  data: 0,
  data_end: 8,
  data_meta: 16,
  data_hard_start: 24,
  ingress_ifindex: 32,
  rx_queue_index: 36,
  egress_ifindex: 40,
  /** Bytes from data_hard_start to the end of the frame's memory, tail room included. */
  frame_sz: 44,
  flags: 48,
  sizeBytes: 64,
} as const;

/**
 * Byte offsets in the kernel-side record of a packet. data, data_end, data_meta, head and end are u64 addresses (data_end = data + linear length,
 * end = the last byte that the tail may grow to); the others are u32 where nothing else is said. protocol, vlan_proto and the addresses are in
 * network order in their low bytes, as the kernel gives them.
 */
export const SK_BUFF = {
  data: 0,
  data_end: 8,
  data_meta: 16,
  head: 24,
  end: 32,
  len: 40,
  pkt_type: 44,
  mark: 48,
  queue_mapping: 52,
  protocol: 56,
  vlan_present: 60,
  vlan_tci: 64,
  vlan_proto: 68,
  priority: 72,
  ingress_ifindex: 76,
  ifindex: 80,
  tc_index: 84,
  /** 20 bytes, 8-aligned */
  cb: 88,
  hash: 108,
  tc_classid: 112,
  napi_id: 116,
  family: 120,
  remote_ip4: 124,
  local_ip4: 128,
  /** 16 bytes */
  remote_ip6: 132,
  /** 16 bytes */
  local_ip6: 148,
  remote_port: 164,
  local_port: 168,
  wire_len: 172,
  gso_segs: 176,
  gso_size: 180,
  /** u64 ns */
  tstamp: 184,
  /** u64 ns */
  hwtstamp: 192,
  /** u64 address of the socket's record, 0 for none */
  sk: 200,
  /** u64 address */
  flow_keys: 208,
  /** u8 BPF_SKB_CLOCK_* */
  tstamp_type: 216,
  /** u8 CHECKSUM_NONE 0, UNNECESSARY 1, COMPLETE 2, PARTIAL 3 */
  ip_summed: 217,
  /** u8 */
  csum_level: 218,
  /** u8: the stored hash is a layer-4 or software hash, not to be computed anew */
  hash_valid: 219,
  /** Offset of the link-layer header from `head`; LD_ABS with SKF_LL_OFF and bpf_skb_load_bytes_relative start there */
  mac_header: 220,
  /** Offset of the network header from `head` */
  network_header: 224,
  transport_header: 228,
  /** Folded checksum state */
  csum: 232,
  /** Length of the link-layer header */
  mac_len: 236,
  /** u16 in the low half: the route's realm */
  route_realm: 240,
  /** u8: 1 once bpf_skb_adjust_room put an outer header before the packet's own */
  encapsulation: 244,
  sizeBytes: 256,
} as const;

/**
 * How a field may be accessed: 'narrow' reads of 1, 2 or 4 aligned bytes and writes of 4; 'exact' the field's size only; 'any' aligned
 * size that stays in the field (cb). */
export type CtxRule = 'narrow' | 'exact' | 'any';

/** A field of a user-side context. */
export interface CtxField {
  readonly name: string;
  /** First kernel that has it. */
  readonly since: KernelVersion;
  /** User-side offset and size in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly rule: CtxRule;
  /** Offset in the kernel-side record. */
  readonly kernelOffset: number;
  /** The user-side 4 bytes stand for an 8-byte address. */
  readonly pointer?: true;
  /** Bytes that a 4-byte store really writes, where fewer: the kernel's field is a u16. */
  readonly storeBytes?: 2;
  /** A store of this value or more (as unsigned 64-bit) does nothing. */
  readonly storeBelow?: number;
}

/** A user-side context type. */
export interface CtxStruct {
  readonly name: 'xdp_md' | '__sk_buff';
  readonly sizeBytes: number;
  readonly kernelSizeBytes: number;
  readonly fields: readonly CtxField[];
}

/** struct xdp_md: every field is read-only and read whole. */
export const XDP_MD = {
  name: 'xdp_md',
  sizeBytes: 24,
  kernelSizeBytes: XDP_BUFF.sizeBytes,
  fields: [
    { name: 'data', since: 4008, offset: 0, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.data, pointer: true },
    { name: 'data_end', since: 4008, offset: 4, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.data_end, pointer: true },
    { name: 'data_meta', since: 4015, offset: 8, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.data_meta, pointer: true },
    { name: 'ingress_ifindex', since: 4016, offset: 12, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.ingress_ifindex },
    { name: 'rx_queue_index', since: 4016, offset: 16, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.rx_queue_index },
    { name: 'egress_ifindex', since: 5008, offset: 20, size: 4, rule: 'exact', kernelOffset: XDP_BUFF.egress_ifindex },
  ],
} as const satisfies CtxStruct;

/** struct __sk_buff. Bytes 181–183 are padding that nobody may touch. */
export const SK_BUFF_MD = {
  name: '__sk_buff',
  sizeBytes: 192,
  kernelSizeBytes: SK_BUFF.sizeBytes,
  fields: [
    { name: 'len', since: 4001, offset: 0, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.len },
    { name: 'pkt_type', since: 4001, offset: 4, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.pkt_type },
    { name: 'mark', since: 4001, offset: 8, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.mark },
    { name: 'queue_mapping', since: 4001, offset: 12, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.queue_mapping, storeBytes: 2, storeBelow: 0xffff },
    { name: 'protocol', since: 4001, offset: 16, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.protocol },
    { name: 'vlan_present', since: 4001, offset: 20, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.vlan_present },
    { name: 'vlan_tci', since: 4001, offset: 24, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.vlan_tci },
    { name: 'vlan_proto', since: 4001, offset: 28, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.vlan_proto },
    { name: 'priority', since: 4001, offset: 32, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.priority },
    { name: 'ingress_ifindex', since: 4002, offset: 36, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.ingress_ifindex },
    { name: 'ifindex', since: 4002, offset: 40, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.ifindex },
    { name: 'tc_index', since: 4002, offset: 44, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.tc_index, storeBytes: 2 },
    { name: 'cb', since: 4002, offset: 48, size: 20, rule: 'any', kernelOffset: SK_BUFF.cb },
    { name: 'hash', since: 4003, offset: 68, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.hash },
    { name: 'tc_classid', since: 4003, offset: 72, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.tc_classid, storeBytes: 2 },
    { name: 'data', since: 4007, offset: 76, size: 4, rule: 'exact', kernelOffset: SK_BUFF.data, pointer: true },
    { name: 'data_end', since: 4007, offset: 80, size: 4, rule: 'exact', kernelOffset: SK_BUFF.data_end, pointer: true },
    { name: 'napi_id', since: 4012, offset: 84, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.napi_id },
    { name: 'family', since: 4014, offset: 88, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.family },
    { name: 'remote_ip4', since: 4014, offset: 92, size: 4, rule: 'exact', kernelOffset: SK_BUFF.remote_ip4 },
    { name: 'local_ip4', since: 4014, offset: 96, size: 4, rule: 'exact', kernelOffset: SK_BUFF.local_ip4 },
    { name: 'remote_ip6', since: 4014, offset: 100, size: 16, rule: 'exact', kernelOffset: SK_BUFF.remote_ip6 },
    { name: 'local_ip6', since: 4014, offset: 116, size: 16, rule: 'exact', kernelOffset: SK_BUFF.local_ip6 },
    { name: 'remote_port', since: 4014, offset: 132, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.remote_port },
    { name: 'local_port', since: 4014, offset: 136, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.local_port },
    { name: 'data_meta', since: 4015, offset: 140, size: 4, rule: 'exact', kernelOffset: SK_BUFF.data_meta, pointer: true },
    { name: 'flow_keys', since: 4020, offset: 144, size: 8, rule: 'exact', kernelOffset: SK_BUFF.flow_keys },
    { name: 'tstamp', since: 5000, offset: 152, size: 8, rule: 'exact', kernelOffset: SK_BUFF.tstamp },
    { name: 'wire_len', since: 5000, offset: 160, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.wire_len },
    { name: 'gso_segs', since: 5001, offset: 164, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.gso_segs },
    { name: 'sk', since: 5001, offset: 168, size: 8, rule: 'exact', kernelOffset: SK_BUFF.sk },
    { name: 'gso_size', since: 5007, offset: 176, size: 4, rule: 'narrow', kernelOffset: SK_BUFF.gso_size },
    { name: 'tstamp_type', since: 5018, offset: 180, size: 1, rule: 'exact', kernelOffset: SK_BUFF.tstamp_type },
    { name: 'hwtstamp', since: 5016, offset: 184, size: 8, rule: 'exact', kernelOffset: SK_BUFF.hwtstamp },
  ],
} as const satisfies CtxStruct;

type XdpField = (typeof XDP_MD.fields)[number]['name'];
type SkbField = (typeof SK_BUFF_MD.fields)[number]['name'];

/** What a program type may do with its context. */
export interface CtxAccess {
  readonly struct: CtxStruct;
  /** Fields that it may not touch at all. */
  readonly denied: readonly (XdpField | SkbField)[];
  readonly writable: readonly (XdpField | SkbField)[];
  /** Register type of a loaded pointer; fields that aren't here load a scalar. */
  readonly regTypes: Readonly<Partial<Record<XdpField | SkbField, number>>>;
  /** Fields whose read needs CAP_BPF, and whose write does. */
  readonly readNeedsBpf?: readonly SkbField[];
  readonly writeNeedsBpf?: readonly SkbField[];
  /** Fields that one expected attach type alone has. */
  readonly onlyAttach?: Readonly<Partial<Record<XdpField, number>>>;
}

const FAMILY_TO_LOCAL_PORT = ['family', 'remote_ip4', 'local_ip4', 'remote_ip6', 'local_ip6', 'remote_port', 'local_port'] as const;
const SK = { sk: PTR_TO_SOCK_COMMON_OR_NULL };
const PACKET = { data: PTR_TO_PACKET, data_end: PTR_TO_PACKET_END };

const schedCls: CtxAccess = {
  struct: SK_BUFF_MD,
  denied: [...FAMILY_TO_LOCAL_PORT, 'flow_keys'],
  writable: ['mark', 'tc_index', 'priority', 'tc_classid', 'cb', 'tstamp', 'queue_mapping'],
  regTypes: { ...SK, ...PACKET, data_meta: PTR_TO_PACKET_META },
};

const lwt: CtxAccess = {
  struct: SK_BUFF_MD,
  denied: ['tc_classid', ...FAMILY_TO_LOCAL_PORT, 'data_meta', 'tstamp', 'wire_len', 'hwtstamp', 'flow_keys', 'tstamp_type'],
  writable: ['mark', 'priority', 'cb'],
  regTypes: { ...SK, ...PACKET },
};

/** Context rules by program type; types that aren't here have contexts of other kinds. */
export const CTX_ACCESS: Readonly<Partial<Record<ProgTypeName, CtxAccess>>> = {
  BPF_PROG_TYPE_XDP: {
    struct: XDP_MD,
    denied: [],
    writable: [],
    regTypes: { ...PACKET, data_meta: PTR_TO_PACKET_META },
    onlyAttach: { egress_ifindex: BPF_XDP_DEVMAP },
  },
  BPF_PROG_TYPE_SCHED_CLS: schedCls,
  BPF_PROG_TYPE_SCHED_ACT: schedCls,
  BPF_PROG_TYPE_SOCKET_FILTER: {
    struct: SK_BUFF_MD,
    denied: [
      'tc_classid', 'data', 'data_meta', 'data_end', ...FAMILY_TO_LOCAL_PORT, 'tstamp', 'wire_len', 'hwtstamp', 'flow_keys', 'tstamp_type',
    ],
    writable: ['cb'],
    regTypes: SK,
  },
  BPF_PROG_TYPE_CGROUP_SKB: {
    struct: SK_BUFF_MD,
    denied: ['tc_classid', 'data_meta', 'wire_len', 'flow_keys', 'tstamp_type'],
    writable: ['mark', 'priority', 'cb', 'tstamp'],
    regTypes: { ...SK, ...PACKET },
    readNeedsBpf: ['data', 'data_end'],
    writeNeedsBpf: ['tstamp'],
  },
  BPF_PROG_TYPE_LWT_IN: lwt,
  BPF_PROG_TYPE_LWT_OUT: lwt,
  BPF_PROG_TYPE_LWT_XMIT: lwt,
  BPF_PROG_TYPE_LWT_SEG6LOCAL: lwt,
  BPF_PROG_TYPE_SK_SKB: {
    struct: SK_BUFF_MD,
    denied: ['tc_classid', 'data_meta', 'tstamp', 'wire_len', 'hwtstamp', 'mark', 'flow_keys', 'tstamp_type'],
    writable: ['tc_index', 'priority'],
    regTypes: { ...SK, ...PACKET },
  },
  BPF_PROG_TYPE_FLOW_DISSECTOR: {
    struct: SK_BUFF_MD,
    denied: SK_BUFF_MD.fields.map((field) => field.name).filter((name) => !['data', 'data_end', 'flow_keys'].includes(name)),
    writable: [],
    regTypes: { ...PACKET, flow_keys: PTR_TO_FLOW_KEYS },
  },
};

/** How a program type may use packet pointers; types that aren't here have no direct packet access. */
export const DIRECT_PACKET_ACCESS: Readonly<Partial<Record<ProgTypeName, 'read' | 'read-write'>>> = {
  BPF_PROG_TYPE_LWT_IN: 'read',
  BPF_PROG_TYPE_LWT_OUT: 'read',
  BPF_PROG_TYPE_LWT_SEG6LOCAL: 'read',
  BPF_PROG_TYPE_SK_REUSEPORT: 'read',
  BPF_PROG_TYPE_FLOW_DISSECTOR: 'read',
  BPF_PROG_TYPE_CGROUP_SKB: 'read',
  BPF_PROG_TYPE_SCHED_CLS: 'read-write',
  BPF_PROG_TYPE_SCHED_ACT: 'read-write',
  BPF_PROG_TYPE_XDP: 'read-write',
  BPF_PROG_TYPE_LWT_XMIT: 'read-write',
  BPF_PROG_TYPE_SK_SKB: 'read-write',
  BPF_PROG_TYPE_SK_MSG: 'read-write',
  BPF_PROG_TYPE_CGROUP_SOCKOPT: 'read-write',
};

/** Program types that may use BPF_LD_ABS and BPF_LD_IND. */
export const LD_ABS_PROG_TYPES: readonly ProgTypeName[] = ['BPF_PROG_TYPE_SOCKET_FILTER', 'BPF_PROG_TYPE_SCHED_CLS', 'BPF_PROG_TYPE_SCHED_ACT'];

/** The field that holds this user-side byte offset, or undefined for padding and beyond. */
export const ctxFieldAt = (struct: CtxStruct, offset: number): CtxField | undefined =>
  struct.fields.find((field) => offset >= field.offset && offset < field.offset + field.size);

/** The context rules of a program type, or undefined when it has none of these contexts. */
export function ctxAccessOf(progType: number): CtxAccess | undefined {
  const type = PROG_TYPES[progType];
  return type === undefined ? undefined : CTX_ACCESS[type.name];
}

/** An access that a program wants to make to its context. */
export interface CtxRequest {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly write: boolean;
  /** A sign-extending load (BPF_MEMSX). */
  readonly ldsx: boolean;
  readonly expectedAttachType: number;
  readonly capBpf: boolean;
}

/** What an allowed access is. */
export interface CtxGrant {
  readonly field: CtxField;
  /** Type of the loaded register. */
  readonly regType: number;
  /** Size of the field when the load is of a field that may be read narrowly, else 0 (the kernel's ctx_field_size). */
  readonly fieldSize: number;
}

function sizeAllowed(field: CtxField, request: CtxRequest): boolean {
  if (request.offset % request.sizeBytes !== 0) return false;
  if (field.rule === 'any') return request.offset + request.sizeBytes <= field.offset + field.size;
  const whole = field.size === 16 ? 4 : field.size; // addresses are arrays of u32
  if (field.rule === 'exact' || request.write) return request.sizeBytes === whole;
  return request.sizeBytes <= whole;
}

/** Whether the access is allowed, and what it loads; undefined: "invalid bpf_context access". */
export function checkCtxAccess(access: CtxAccess, request: CtxRequest): CtxGrant | undefined {
  const field = ctxFieldAt(access.struct, request.offset);
  if (field === undefined) return undefined;
  const name = field.name as XdpField | SkbField;
  if (access.denied.includes(name)) return undefined;
  if (request.write && !access.writable.includes(name)) return undefined;
  if (request.ldsx && field.pointer === true) return undefined;
  if (!request.capBpf && (access.readNeedsBpf?.includes(name as SkbField) ?? false)) return undefined;
  if (!request.capBpf && request.write && (access.writeNeedsBpf?.includes(name as SkbField) ?? false)) return undefined;
  const attach = access.onlyAttach?.[name as XdpField];
  if (attach !== undefined && attach !== request.expectedAttachType) return undefined;
  if (!sizeAllowed(field, request)) return undefined;
  return { field, regType: access.regTypes[name] ?? SCALAR_VALUE, fieldSize: field.rule === 'narrow' && !request.write ? field.size : 0 };
}

/** Where an allowed access goes in the kernel-side record: its offset and width there. */
export function convertCtxAccess(field: CtxField, offset: number, sizeBytes: number, write: boolean): { offset: number; sizeBytes: number } {
  const kernelOffset = field.kernelOffset + (offset - field.offset);
  if (field.pointer === true) return { offset: kernelOffset, sizeBytes: 8 };
  return { offset: kernelOffset, sizeBytes: write ? (field.storeBytes ?? sizeBytes) : sizeBytes };
}
