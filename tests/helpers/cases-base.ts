// Helpers that any program may call: text, checksums, loops, reads that may fail, maps, ring and perf buffers.

import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_RINGBUF } from '../../src/spec/map-types.ts';
import { call, keep, oneCall, program } from './case.ts';
import type { Arg, HelperCase } from './case.ts';
import { RAMP } from './packets.ts';

const base = (name: string, code: string, extra: Partial<HelperCase> = {}): HelperCase => ({ name, type: 'tc', packet: RAMP, text: code, ...extra });

/** Puts text (up to 64 bytes) at fp-64, zero-filled. */
function text(value: string): string {
  const bytes = new Uint8Array(64);
  bytes.set(new TextEncoder().encode(value).subarray(0, 64));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: 8 }, (_, i) => `r1 = ${view.getBigInt64(8 * i, true)} ll\n*(u64 *)(r10 -${64 - 8 * i}) = r1`).join('\n');
}

const NUMBERS = [
  '0', '1', '42', '-42', '+42', ' 12', '\t\n12', '12 ', '12abc', 'abc', '', '-', '0x', '0xg', '0x1F', '0X1f', '-0x10', '010', '08', '00', '0b1', '9223372036854775807',
  '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '18446744073709551615', '18446744073709551616', '-1', '--1', '- 1', '1 2', '00000000000000000000000000012', '777777777777777777777777777777',
];
const parse = (helper: string, value: string, flags: number, length = value.length + 1): HelperCase =>
  base(`${helper} '${value}' flags ${flags} length ${length}`, program(text(value), '*(u64 *)(r10 -72) = -1', call(helper, 'fp-64', length, flags, 'fp-72'), keep(0), 'r0 = *(u64 *)(r10 -72)', keep(8), 'r0 = 0'));

const STRINGS: HelperCase[] = [
  ...['bpf_strtol', 'bpf_strtoul'].flatMap((helper) => [
    ...NUMBERS.flatMap((value) => [0, 10, 16, 8].map((flags) => parse(helper, value, flags))),
    parse(helper, '12', 1), parse(helper, '12', 0x20), parse(helper, '12', -1), parse(helper, '123456', 10, 3), parse(helper, ' -7', 10, 3), parse(helper, '  ', 10, 2), parse(helper, '-', 10, 1), parse(helper, '0x', 0, 2), parse(helper, '0x1', 16, 3),
  ]),
  ...([['abc', 'abc'], ['abc', 'abd'], ['abd', 'abc'], ['ab', 'abc'], ['abc', 'ab'], ['', 'a'], ['', '']] as const).flatMap(([a, b]) => [1, 2, 3, 8].map((size) =>
    base(`strncmp '${a}' '${b}' ${size}`, program(text(a), call('bpf_strncmp', 'fp-64', size, 'fmt'), keep(0), 'r0 = 0'), { fmt: b }))),
];

const printed = (name: string, fmt: string, size: number, args: Arg[], dataLength = 8 * args.length): HelperCase =>
  base(`snprintf ${name}`, program(
    ...args.map((arg, i) => `${call('x', arg).split('\n').slice(0, -1).join('\n')}\n*(u64 *)(r10 -${96 - 8 * i}) = r1`),
    call('bpf_snprintf', 'out+16', size, 'fmt', args.length === 0 ? 0 : 'fp-96', dataLength), keep(0), 'r0 = 0'), { fmt });

const M1 = 0xffff_ffff_ffff_ffffn;
const FORMATS: readonly [string, ...Arg[]][] = [
  ['plain'], ['100%%'], ['%d', -1], ['%d', 0xffff_ffff_0000_0005n], ['%i', 7], ['%u', -1], ['%x', -1], ['%X', 0xbeef], ['%ld', M1], ['%lld', M1], ['%lu', M1], ['%llu', M1], ['%lx', M1], ['%llX', 0xabcn],
  ['[%5d]', 42], ['[%-5d]', 42], ['[%05d]', 42], ['[%+d]', 42], ['[% d]', 42], ['[%+5d]', -42], ['[%05d]', -42], ['[%-05d]', 42], ['[%0+5d]', 42], ['[%+ d]', 1], ['[%+x]', 5], ['[% u]', 5], ['[%08x]', 0xbeef], ['[%2d]', 12345],
  ['%c%c', 65, 0x142], ['[%3c]', 65], ['[%-3c]', 65], ['%s', 'fmt'], ['[%12s]', 'fmt'], ['[%-12s]', 'fmt'], ['%s', 0], ['%s', 5], ['%s', M1], ['[%3s]', 0], ['%pks', 'fmt'], ['[%9pks]', 'fmt'], ['%pus', 'fmt'], ['%pks|%d', 'fmt', 3],
  ['%px', 0x1234n], ['[%20px]', 0x1234n], ['[%-20px]', 0x1234n], ['[%3px]', 0x1234n], ['[%020px]', 0x1234n], ['%pxyz!', 0x1234n], ['%p', 0], ['%p', -1], ['%p,', -5], ['%pI4', 'out+8'], ['%pi4', 'out+8'], ['%pI6', 'out+8'], ['%pi6', 'out+8'], ['%pI4', 0], ['[%20pI4]', 'out+8'], ['%pI6c.', 'out+8'],
  ['%pI5', 'out+8'], ['%pM', 'out+8'], ['%f', 1], ['%', 1], ['%5', 1], ['%l', 1], ['%lll', 1], ['%h', 1], ['%hd', 1], ['%zu', 1], ['%.3d', 1], ['%#x', 1], ['%*d', 1], ['%o', 8], ['%n', 1], ['%sx', 'fmt'], ['%s.', 'fmt'], ['%s %s', 'fmt', 'fmt'], ['%py', 1],
  ['%d'], ['%d %d', 1], ['%d', 1, 2], ['tab\tnl\n', 1], ['bell\u0007', 1], ['é ü', 1], ['%é', 1], ['%sé', 'fmt'], ['%1000d', 1], ['%d %s %c %lx %px %d %d %d', 1, 'fmt', 66, 5, 6, 7, 8, 9], ['%sa', 1], ['%p%p', 0, 0], ['%p\n', 0], ['%p-', 0],
];

const PRINTS: HelperCase[] = [
  ...FORMATS.map(([fmt, ...args]) => printed(`'${fmt}' ${args.join(' ')}`, fmt, 64, args)),
  ...[0, 1, 2, 5, 6, 7].map((size) => printed(`into ${size} bytes`, '%d%s', size, [123, 'fmt'])),
  printed('with half an argument', '%d', 64, [1], 4),
  ...([['%d\n', 0], ['plain', 0], ['%s', 0], ['%d %d %d', 1], ['%d %d %d %d', 1], ['%lf', 0], ['%pI4', 0], ['%', 0]] as const).map(([fmt]) =>
    base(`trace_printk '${fmt}'`, program(text(fmt), call('bpf_trace_printk', 'fp-64', fmt.length + 1, 1, 2, 3), keep(0), 'r0 = 0'))),
  base('trace_printk without a NUL', program(text('abcdef'), call('bpf_trace_printk', 'fp-64', 3, 1, 2, 3))),
  base('trace_vprintk', program(text('%d-%s'), '*(u64 *)(r10 -80) = 5', call('x', 'fmt').split('\n')[0] as string, '*(u64 *)(r10 -72) = r1', call('bpf_trace_vprintk', 'fp-64', 6, 'fp-80', 16)), { fmt: 'hello' }),
  base('trace_vprintk with half an argument', program(text('x'), '*(u64 *)(r10 -80) = 5', call('bpf_trace_vprintk', 'fp-64', 2, 'fp-80', 4))),
];

const diff = (fromSize: number, toSize: number, seed: number, a: bigint, b: bigint): HelperCase =>
  base(`csum_diff ${fromSize} ${toSize} ${seed} ${a.toString(16)} ${b.toString(16)}`, program(
    `r1 = ${BigInt.asIntN(64, a)} ll\n*(u64 *)(r10 -16) = r1`, `r1 = ${BigInt.asIntN(64, b)} ll\n*(u64 *)(r10 -8) = r1`, call('bpf_csum_diff', 'fp-16', fromSize, 'fp-8', toSize, seed), keep(0), 'r0 = 0'));
const CSUM: HelperCase[] = ([[8, 8, 0], [8, 8, -1], [8, 8, 0x7fff_ffff], [3, 5, -5], [7, 0, 1], [0, 7, -1], [8, 0, 0], [0, 8, 0], [0, 0, 0x1234_5678], [4, 8, 3], [1, 1, 0]] as const).flatMap(([f, t, s]) =>
  ([[0n, 0n], [0x1122_3344_5566_7788n, 0xffee_ddcc_bbaa_9988n], [M1, 0n], [0n, M1], [M1, M1], [1n, 0x100n]] as const).map(([a, b]) => diff(f, t, s, a, b)));

const looped = (count: Arg, flags: Arg, stopAt: number): HelperCase =>
  base(`loop ${count} flags ${flags} stop at ${stopAt}`, `${program('*(u64 *)(r10 -8) = 0', call('bpf_loop', count, '&body', 'fp-8', flags), keep(0), 'r0 = *(u64 *)(r10 -8)', keep(8), 'r0 = 0')}
body:
r3 = *(u64 *)(r2 +0)
r3 += r1
*(u64 *)(r2 +0) = r3
r0 = 0
if r1 != ${stopAt} goto +1
r0 = 1
exit`);

const LOOPS: HelperCase[] = [looped(0, 0, -1), looped(1, 0, -1), looped(100, 0, -1), looped(100, 0, 10), looped(100, 0, 0), looped(8_388_609, 0, 3), looped(5, 1, -1), looped(-1, 0, 3)];

const hash = { map_type: BPF_MAP_TYPE_HASH, key_size: 4, value_size: 8, max_entries: 4 };
const array = { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 5 };
const queue = { map_type: BPF_MAP_TYPE_QUEUE, key_size: 0, value_size: 8, max_entries: 2 };
const put = (key: number, value: number, flags: Arg = 0): string => `*(u32 *)(r10 -4) = ${key}\n*(u64 *)(r10 -16) = ${value}\n${call('bpf_map_update_elem', 'map:m', 'fp-4', 'fp-16', flags)}`;
const get = (key: number): string => `*(u32 *)(r10 -4) = ${key}\n${call('bpf_map_lookup_elem', 'map:m', 'fp-4')}\nif r0 == 0 goto +1\nr0 = *(u64 *)(r0 +0)`;
const remove = (key: number): string => `*(u32 *)(r10 -4) = ${key}\n${call('bpf_map_delete_elem', 'map:m', 'fp-4')}`;
const steps = (...list: string[]): string => program(...list.flatMap((step, i) => [step, keep(8 * i)]), 'r0 = 0');
const each = (name: string, attr: typeof hash, filling: string[], flags: number, stopAt: number): HelperCase => base(`for_each_map_elem ${name}`, `${program(...filling, '*(u64 *)(r10 -24) = 0', call('bpf_for_each_map_elem', 'map:m', '&visit', 'fp-24', flags), keep(0), 'r0 = *(u64 *)(r10 -24)', keep(8), 'r0 = 0')}
visit:
r5 = *(u64 *)(r4 +0)
r2 = *(u32 *)(r2 +0)
r3 = *(u64 *)(r3 +0)
r5 += r2
r5 += r3
*(u64 *)(r4 +0) = r5
r0 = 0
if r2 != ${stopAt} goto +1
r0 = 1
exit`, { maps: { m: attr } });

const MAPS: HelperCase[] = [
  base('hash: update, look up, delete', steps(get(1), put(1, 11), get(1), put(1, 12, 1), put(1, 12, 2), get(1), put(2, 5, 2), remove(1), remove(1), get(1), put(9, 1, 3), put(9, 1, 0x1_0000_0000n)), { maps: { m: hash } }),
  base('hash: full', steps(put(1, 1), put(2, 1), put(3, 1), put(4, 1), put(5, 1), put(4, 2), remove(1), put(5, 1), get(5)), { maps: { m: hash } }),
  base('array: update, look up, delete', steps(get(0), put(0, 7), get(0), put(5, 1), get(5), put(1, 1, 1), remove(0), put(-1, 1)), { maps: { m: array } }),
  base('queue: push, peek, pop', steps(...[1, 2, 3].map((value) => `*(u64 *)(r10 -16) = ${value}\n${call('bpf_map_push_elem', 'map:m', 'fp-16', 0)}`), `*(u64 *)(r10 -16) = 9\n${call('bpf_map_push_elem', 'map:m', 'fp-16', 2)}`, `*(u64 *)(r10 -16) = 9\n${call('bpf_map_push_elem', 'map:m', 'fp-16', 1)}`,
    ...[0, 1, 2, 3].flatMap(() => [`*(u64 *)(r10 -16) = -1\n${call('bpf_map_peek_elem', 'map:m', 'fp-16')}`, call('bpf_map_pop_elem', 'map:m', 'fp-16'), 'r0 = *(u64 *)(r10 -16)'])), { maps: { m: queue } }),
  each('of an array', array, [put(0, 100), put(4, 50)], 0, -1), each('of an array, stopped', array, [put(0, 100), put(4, 50)], 0, 2), each('with flags', array, [], 1, -1),
  each('of an empty hash', hash, [], 0, -1), each('of a hash', hash, [put(3, 30), put(8, 80)], 0, -1),
];

const ring = { map_type: BPF_MAP_TYPE_RINGBUF, key_size: 0, value_size: 0, max_entries: 4096 };
const query = (what: Arg): string => call('bpf_ringbuf_query', 'map:m', what);
const output = (size: number, flags: Arg): string => `r1 = 0\n${call('bpf_ringbuf_output', 'map:m', 'out', size, flags)}`;
const reserve = (size: number, end: string, flags: Arg): string => `${call('bpf_ringbuf_reserve', 'map:m', size, 0)}\nif r0 == 0 goto +6\nr1 = 0x11223344\n*(u32 *)(r0 +0) = r1\nr1 = r0\n${call('x', 'r1', flags).split('\n')[1]}\ncall ${end}\nr0 = 1`;
const RINGS: HelperCase[] = [
  base('ringbuf: output and query', steps(query(0), query(1), query(2), query(3), query(4), query(-1), output(10, 0), query(0), output(10, 3), output(10, 4), output(10, -1), query(3)), { maps: { m: ring } }),
  base('ringbuf: until it is full', steps(...Array.from({ length: 17 }, () => output(248, 0)), output(1, 0), query(0)), { maps: { m: ring } }),
  base('ringbuf: submit and discard', steps(reserve(16, 'bpf_ringbuf_submit', 0), query(0), reserve(16, 'bpf_ringbuf_discard', 0), query(0), reserve(5000, 'bpf_ringbuf_submit', 0), reserve(4089, 'bpf_ringbuf_submit', 0), reserve(16, 'bpf_ringbuf_submit', 1), query(3)), { maps: { m: ring } }),
];

const perf = { map_type: BPF_MAP_TYPE_PERF_EVENT_ARRAY, key_size: 4, value_size: 4, max_entries: 2 };
const PERFS: HelperCase[] = ([[0n, 8], [1n, 8], [2n, 8], [0xffff_ffffn, 8], [1n << 52n, 8], [40n << 32n, 8], [64n << 32n, 8], [65n << 32n, 8], [0n, 0]] as const).flatMap(([flags, size]) => (['tc', 'xdp'] as const).map((type) =>
  base(`perf_event_output ${type} flags 0x${flags.toString(16)} size ${size}`, program(call('bpf_perf_event_output', 'ctx', 'map:m', flags, 'out', size), keep(0), 'r0 = 2'), { type, maps: { m: perf } })));

const probe = (helper: string, name: string, source: string, size: number): HelperCase =>
  base(`${helper} ${name} ${size}`, program(`${call('x', 'out').split('\n')[0]}`, 'r2 = 0x6463626100666564 ll', '*(u64 *)(r1 +128) = r2', '*(u64 *)(r1 +16) = -1', '*(u64 *)(r1 +24) = -1', source, call(helper, 'out+16', size, 'r3'), keep(0), 'r0 = 0'));
const PROBES: HelperCase[] = ['bpf_probe_read_kernel', 'bpf_probe_read_kernel_str', 'bpf_probe_read_user', 'bpf_probe_read_user_str'].flatMap((helper) => [
  ...[0, 1, 3, 4, 8, 16].map((size) => probe(helper, 'of a map value', 'r3 = map_value[out]+128', size)),
  probe(helper, 'of NULL', 'r3 = 0', 8), probe(helper, 'of -1', 'r3 = -1', 8), probe(helper, 'of a user address', 'r3 = 4096', 8), probe(helper, 'of no canonical address', 'r3 = 0x1234567890000000 ll', 8), probe(helper, 'of NULL', 'r3 = 0', 0),
]);

const OTHERS: HelperCase[] = [
  base('sk_lookup_tcp finds none', program(...[8, 16].map((at) => `*(u64 *)(r10 -${at}) = 0`), call('bpf_sk_lookup_tcp', 'ctx', 'fp-16', 12, -1, 0), 'if r0 == 0 goto +3', 'r1 = r0', 'call bpf_sk_release', 'r0 = 1')),
  base('get_numa_node_id', oneCall('bpf_get_numa_node_id')),
];

/** All cases of helpers that don't touch the packet. */
export const BASE_CASES: readonly HelperCase[] = [...STRINGS, ...PRINTS, ...CSUM, ...LOOPS, ...MAPS, ...RINGS, ...PERFS, ...PROBES, ...OTHERS];
