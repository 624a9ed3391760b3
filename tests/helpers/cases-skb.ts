// Helpers on sk_buffs, as TC programs call them.

import { call, keep, keepFields, oneCall, program } from './case.ts';
import type { Arg, HelperCase } from './case.ts';
import { RAMP, ipv4, ipv6, tagged } from './packets.ts';

const tc = (name: string, text: string, packet: Uint8Array = ipv4()): HelperCase => ({ name, type: 'tc', text, packet });
/** Fields of __sk_buff: len, protocol, vlan_present, vlan_tci, vlan_proto, hash, pkt_type. */
const LEN = 0;
const PKT_TYPE = 4;
const PROTOCOL = 16;
const VLAN = [20, 24, 28] as const;
const HASH = 68;
/** Copies 16 bytes from the network header to out + 32, so that its place shows. */
const networkBytes = program(call('bpf_skb_load_bytes_relative', 'ctx', 0, 'out+32', 16, 1)).replace('r6 = r1\n', '').replace('exit\n', '');
const macBytes = networkBytes.replace('r5 = 1', 'r5 = 0').replaceAll('out]+32', 'out]+48');
/** One call, its result kept, then what changed beside the packet's bytes. */
const change = (helper: string, ...args: Arg[]): string => program(call(helper, 'ctx', ...args), keep(0), keepFields(8, LEN, PROTOCOL, ...VLAN), networkBytes, macBytes, 'r0 = 0');

const BYTES: HelperCase[] = [
  ...([[0, 8], [56, 8], [57, 8], [63, 1], [64, 1], [0x7fff_ffff, 1], [-1, 1]] as const).flatMap(([off, size]) => [
    tc(`skb_load_bytes ${off} ${size}`, program('r1 = map_value[out]+8', '*(u64 *)(r1 +0) = -1', call('bpf_skb_load_bytes', 'ctx', off, 'out+8', size), keep(0), 'r0 = 0'), RAMP),
    tc(`skb_store_bytes ${off} ${size}`, program('*(u64 *)(r10 -8) = -2', call('bpf_skb_store_bytes', 'ctx', off, 'fp-8', size, 0)), RAMP),
  ]),
  ...[1, 2, 3, 4, 8].map((flags) => tc(`skb_store_bytes flags ${flags}`, program('*(u64 *)(r10 -8) = -2', call('bpf_set_hash', 'ctx', 77), call('bpf_skb_store_bytes', 'ctx', 20, 'fp-8', 8, flags), keep(0), keepFields(8, HASH), 'r0 = 0'), RAMP)),
  ...([[0, 0], [1, 0], [48, 1], [50, 1], [51, 1], [0xffff, 1], [0x1_0000, 1], [0, 2]] as const).map(([off, start]) =>
    tc(`skb_load_bytes_relative ${off} from ${start}`, program(call('bpf_skb_load_bytes_relative', 'ctx', off, 'out+8', 2, start), keep(0), 'r0 = 0'), RAMP)),
  ...[0, 1, 64, 65, -1].map((len) => tc(`skb_pull_data ${len}`, oneCall('bpf_skb_pull_data', 'ctx', len))),
];

const CHECKSUMS: HelperCase[] = [
  ...([[24, 0x1234, 0x5678, 2], [24, 0x1234_5678, 0x9abc_def0, 4], [24, 0, 0x1234_5678, 0], [24, 1, 2, 0], [24, 0, 0, 2], [24, 0xffff, 0, 2], [24, 0, 0xffff, 2],
    [25, 0, 0, 2], [62, 1, 2, 2], [64, 1, 2, 2], [0x1_0000, 1, 2, 2], [24, 1, 2, 3], [24, 1, 2, 0x10], [24, -1, 1, 4], [40, 0xffff_ffff, 0xffff, 2]] as const).map(([off, from, to, flags]) =>
    tc(`l3_csum_replace ${off} ${from} ${to} flags ${flags}`, oneCall('bpf_l3_csum_replace', 'ctx', off, from, to, flags))),
  ...[0, 2, 4, 0x10, 0x12, 0x14, 0x20, 0x22, 0x24, 0x34, 0x64, 0x80, 0x94, 0x100, 3].flatMap((flags) => ([[0, 0x1234_5678], [0xa000_0001, 0xc0a8_0101], [0x1234, 0x1234]] as const).map(([from, to]) =>
    tc(`l4_csum_replace ${from} ${to} flags ${flags}`, oneCall('bpf_l4_csum_replace', 'ctx', 40, from, to, flags)))),
  ...[0x24, 0x64, 0x04].map((flags) => tc(`l4_csum_replace of a zero checksum, flags ${flags}`, program('*(u16 *)(r10 -2) = 0', call('bpf_skb_store_bytes', 'ctx', 40, 'fp-2', 2, 0), call('bpf_l4_csum_replace', 'ctx', 40, 1, 1, flags)))),
  ...[0, 1, 2, 3, 4].flatMap((first) => [0, 1, 2, 3].map((second) =>
    tc(`csum_level ${first} then ${second}`, program(call('bpf_csum_level', 'ctx', first), keep(0), call('bpf_csum_level', 'ctx', second), keep(8), call('bpf_csum_level', 'ctx', 0), keep(16), 'r0 = 0')))),
  tc('csum_level raised five times', program(...Array.from({ length: 5 }, () => call('bpf_csum_level', 'ctx', 1)), call('bpf_csum_level', 'ctx', 0))),
  tc('csum_update', program(call('bpf_csum_update', 'ctx', 5), keep(0))),
];

const ROOM: HelperCase[] = [
  ...[16_064, 16_065, 14, 13, 0, 15, 63, 64, 65, 100, -1].map((len) => tc(`skb_change_tail ${len}`, change('bpf_skb_change_tail', len, 0))),
  tc('skb_change_tail with flags', oneCall('bpf_skb_change_tail', 'ctx', 64, 1)),
  tc('skb_change_tail shrinks then grows with zeros', program(call('bpf_skb_change_tail', 'ctx', 30, 0), keep(0), call('bpf_skb_change_tail', 'ctx', 50, 0), keep(8))),
  ...[0, 1, 14, 100, 5000, 16_000, 16_001, -1, -64].map((room) => tc(`skb_change_head ${room}`, change('bpf_skb_change_head', room, 0))),
  tc('skb_change_head with flags', oneCall('bpf_skb_change_head', 'ctx', 14, 1)),
  ...([['IPv4 to IPv6', ipv4(), 0xdd86], ['IPv6 to IPv4', ipv6(), 0x0008], ['IPv4 to IPv4', ipv4(), 0x0008], ['IPv6 to IPv6', ipv6(), 0xdd86], ['IPv4 to ARP', ipv4(), 0x0608], ['ramp to IPv4', RAMP, 8]] as const).map(([name, packet, proto]) =>
    tc(`skb_change_proto ${name}`, change('bpf_skb_change_proto', proto, 0), packet)),
  tc('skb_change_proto with flags', oneCall('bpf_skb_change_proto', 'ctx', 0xdd86, 1)),
  ...[0, 1, 3, 4, 6].map((type) => tc(`skb_change_type ${type}`, program(call('bpf_skb_change_type', 'ctx', type), keep(0), keepFields(8, PKT_TYPE), 'r0 = 0'))),
];

const L2_14 = 14n << 56n;
const ADJUST: HelperCase[] = [
  ...[0, 1].flatMap((mode) => [20, -20, -8, 40, 0, -30, -31, -50, 0xfff, 0x1000, -0x1000].map((diff) => tc(`skb_adjust_room ${diff} mode ${mode}`, change('bpf_skb_adjust_room', diff, mode, 0)))),
  ...[0, 1].flatMap((mode) => [20, -20, -8, -2, -3].map((diff) => tc(`skb_adjust_room of IPv6 ${diff} mode ${mode}`, change('bpf_skb_adjust_room', diff, mode, 0), ipv6()))),
  tc('skb_adjust_room mode 2', oneCall('bpf_skb_adjust_room', 'ctx', 8, 2, 0)),
  tc('skb_adjust_room of neither IPv4 nor IPv6', oneCall('bpf_skb_adjust_room', 'ctx', 8, 0, 0), RAMP),
  ...[1n, 2n, 4n, 6n, 0xan, 0xcn, 0x12n, 0x14n, 0x1an, 0x20n, 0x22n, 0x40n, 0x42n, 0x42n | L2_14, 0x52n | L2_14, 2n | L2_14, 2n | (40n << 56n), 0x80n, 0x100n, 0x180n, 0x200n, 0x8n, 1n << 40n].flatMap((flags) =>
    [28, -8].map((diff) => tc(`skb_adjust_room ${diff} flags 0x${flags.toString(16)}`, change('bpf_skb_adjust_room', diff, 1, flags)))),
  tc('skb_adjust_room encapsulates once only', program(call('bpf_skb_adjust_room', 'ctx', 20, 1, 2), keep(0), call('bpf_skb_adjust_room', 'ctx', 20, 1, 2), keep(8), call('bpf_skb_change_tail', 'ctx', 70, 0), keep(16), 'r0 = 0')),
  tc('skb_adjust_room takes off what it put on', program(call('bpf_skb_adjust_room', 'ctx', 40, 1, 4), keep(0), call('bpf_skb_adjust_room', 'ctx', -40, 1, 0x80), keep(8), keepFields(16, LEN, PROTOCOL), 'r0 = 0')),
  tc('skb_adjust_room forgets the checked checksum', program(call('bpf_csum_level', 'ctx', 1), call('bpf_skb_adjust_room', 'ctx', 20, 1, 0), call('bpf_csum_level', 'ctx', 0))),
  tc('skb_adjust_room keeps the checked checksum', program(call('bpf_csum_level', 'ctx', 1), call('bpf_skb_adjust_room', 'ctx', 20, 1, 0x20), call('bpf_csum_level', 'ctx', 0))),
];

const push = (proto: number, tci: number): string => call('bpf_skb_vlan_push', 'ctx', proto, tci);
const pop = call('bpf_skb_vlan_pop', 'ctx');
const vlan = (name: string, packet: Uint8Array, ...steps: string[]): HelperCase =>
  tc(`vlan ${name}`, program(...steps.flatMap((step, i) => [step, keep(8 * i + 64)]), keepFields(8, LEN, PROTOCOL, ...VLAN), networkBytes, macBytes, 'r0 = 0'), packet);
const NO_IP = tagged(Uint8Array.from([...RAMP.subarray(0, 12), 0, 40, 0xff, 0xff, ...RAMP.subarray(16)]), [0x8100, 5]);
const LLC = tagged(Uint8Array.from([...RAMP.subarray(0, 12), 0, 40, 0xaa, 0xaa, ...RAMP.subarray(16)]), [0x8100, 5]);

const VLANS: HelperCase[] = [
  vlan('push', ipv4(), push(0x81, 0x123)), vlan('push 802.1ad', ipv4(), push(0xa888, 0xffff)), vlan('push of another type', ipv4(), push(0x1234, 1)),
  vlan('push 0', ipv4(), push(0, 0)), vlan('push twice', ipv4(), push(0x81, 0x123), push(0xa888, 0x456)), vlan('push three times', ipv4(), push(0x81, 1), push(0x81, 2), push(0x81, 3)),
  vlan('push of 17 bits', ipv4(), push(0x1_0081, 0x1_2345)),
  vlan('pop of none', ipv4(), pop), vlan('pop of one in the packet', tagged(ipv4(), [0x8100, 0x2005]), pop), vlan('pop of two in the packet', tagged(ipv4(), [0x88a8, 7], [0x8100, 9]), pop),
  vlan('pop of two, twice', tagged(ipv4(), [0x88a8, 7], [0x8100, 9]), pop, pop), vlan('push then pop', ipv4(), push(0x81, 5), pop), vlan('push twice then pop', ipv4(), push(0x81, 5), push(0x81, 6), pop),
  vlan('push twice then pop twice', ipv4(), push(0x81, 5), push(0x81, 6), pop, pop), vlan('pop then push', tagged(ipv4(), [0x8100, 5]), pop, push(0x81, 6)),
  vlan('pop to 802.3', NO_IP, pop), vlan('pop to 802.2', LLC, pop), vlan('push on a tagged packet', tagged(ipv4(), [0x8100, 5]), push(0x81, 6)),
  vlan('pop of a packet that ends in its tag', tagged(ipv4(), [0x8100, 5]).subarray(0, 17), pop),
];

const META: HelperCase[] = [
  tc('set_hash', program(call('bpf_set_hash', 'ctx', 0x1234_5678), keep(0), keepFields(8, HASH), call('bpf_get_hash_recalc', 'ctx'))),
  tc('set_hash 0 stays', program(call('bpf_set_hash', 'ctx', 0), call('bpf_get_hash_recalc', 'ctx'))),
  tc('set_hash_invalid', program(call('bpf_set_hash', 'ctx', 5), call('bpf_set_hash_invalid', 'ctx'), keep(0), keepFields(8, HASH), 'r0 = 0')),
  ...([[0, 0], [5, 0], [0, 1], [5, 1], [0, 2], [5, 2], [5, 3], [-1, 1]] as const).map(([stamp, type]) =>
    tc(`skb_set_tstamp ${stamp} type ${type}`, program(call('bpf_skb_set_tstamp', 'ctx', stamp, type), keep(0), 'r0 = *(u64 *)(r6 +152)', keep(8), 'r0 = *(u8 *)(r6 +180)', keep(16), 'r0 = 0'))),
  tc('skb_set_tstamp of neither IPv4 nor IPv6', oneCall('bpf_skb_set_tstamp', 'ctx', 1, 1), RAMP),
  ...[0, 1, 2, 3, 0xfc, 0xfd, 0xfe].flatMap((tos) => [tc(`skb_ecn_set_ce IPv4 tos ${tos}`, oneCall('bpf_skb_ecn_set_ce', 'ctx'), ipv4(tos)), tc(`skb_ecn_set_ce IPv6 class ${tos}`, oneCall('bpf_skb_ecn_set_ce', 'ctx'), ipv6(tos))]),
  tc('skb_ecn_set_ce of neither', oneCall('bpf_skb_ecn_set_ce', 'ctx'), RAMP),
  tc('get_route_realm', oneCall('bpf_get_route_realm', 'ctx')),
  tc('get_cgroup_classid', oneCall('bpf_get_cgroup_classid', 'ctx')),
  tc('skb_get_tunnel_key', program('*(u64 *)(r10 -8) = -1', '*(u64 *)(r10 -16) = -1', '*(u64 *)(r10 -24) = -1', '*(u64 *)(r10 -32) = -1', call('bpf_skb_get_tunnel_key', 'ctx', 'fp-32', 28, 0), keep(0), 'r0 = *(u64 *)(r10 -16)', keep(8), 'r0 = 0')),
  tc('skb_get_tunnel_opt', program('*(u64 *)(r10 -8) = -1', call('bpf_skb_get_tunnel_opt', 'ctx', 'fp-8', 8), keep(0), 'r0 = *(u64 *)(r10 -8)', keep(8), 'r0 = 0')),
  ...[0, 1, 2, 8, 0x1_0000, -1].map((flags) => tc(`redirect flags ${flags}`, program(call('bpf_redirect', 1, flags), keep(0), 'r0 = 2'))),
  ...[0, 1].map((flags) => tc(`redirect_peer flags ${flags}`, program(call('bpf_redirect_peer', 1, flags), keep(0), 'r0 = 2'))),
  ...([[0, 0], [20, 0], [19, 0], [0, 1]] as const).map(([size, flags]) => tc(`redirect_neigh ${size} flags ${flags}`, program(...[8, 16, 24].map((at) => `*(u64 *)(r10 -${at}) = 0`), call('bpf_redirect_neigh', 1, size === 0 ? 0 : 'fp-24', size, flags), keep(0), 'r0 = 2'))),
  ...([[9999, 0], [9999, 1], [1, 8]] as const).map(([ifindex, flags]) => tc(`clone_redirect ${ifindex} flags ${flags}`, oneCall('bpf_clone_redirect', 'ctx', ifindex, flags))),
  ...[0, 9999].flatMap((ifindex) => ([[0, 0, 0], [0, 20, 0], [100, 0, 0], [65_500, 100, 0], [0, 0, 1], [5, 0, 1], [0, 5, 1], [0, 0, 2]] as const).map(([asked, diff, flags]) =>
    tc(`check_mtu device ${ifindex}, asked ${asked}, ${diff}, flags ${flags}`, program(`*(u32 *)(r10 -4) = ${asked}`, call('bpf_check_mtu', 'ctx', ifindex, 'fp-4', diff, flags), keep(0), 'r0 = *(u32 *)(r10 -4)', keep(8), 'r0 = 0')))),
];

/** All cases of TC programs. */
export const SKB_CASES: readonly HelperCase[] = [...BYTES, ...CHECKSUMS, ...ROOM, ...ADJUST, ...VLANS, ...META];
