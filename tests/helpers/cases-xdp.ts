// XDP helpers: borders of data and metadata, bytes in and out, verdicts of redirects.

import { BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH } from '../../src/spec/map-types.ts';
import { call, keep, oneCall, program } from './case.ts';
import type { HelperCase } from './case.ts';
import { RAMP, ipv4 } from './packets.ts';

const xdp = (name: string, text: string, extra: Partial<HelperCase> = {}): HelperCase => ({ name, type: 'xdp', packet: RAMP, text, ...extra });
const head = (offset: number): string => call('bpf_xdp_adjust_head', 'ctx', offset);
const tail = (offset: number): string => call('bpf_xdp_adjust_tail', 'ctx', offset);
const meta = (offset: number): string => call('bpf_xdp_adjust_meta', 'ctx', offset);
const length = call('bpf_xdp_get_buff_len', 'ctx');
/** Copies eight packet bytes at `offset` to `out + to`. */
const load = (offset: number, to: number, size = 8): string => call('bpf_xdp_load_bytes', 'ctx', offset, `out+${to}`, size);

const BORDERS: HelperCase[] = [
  ...[-216, -217, -1, 0, 1, 50, 51, 1000, -100_000].map((off) => xdp(`adjust_head ${off}`, program(head(off), keep(0), length, keep(8), load(0, 16), 'r0 = 2'))),
  ...[3456, 3457, 1, 0, -1, -50, -51, 100_000, -100_000].map((off) => xdp(`adjust_tail ${off}`, program(tail(off), keep(0), length, keep(8), 'r0 = 2'))),
  ...[-4, -3, -216, -220, 4, 0, -100_000].map((off) => xdp(`adjust_meta ${off}`, program(meta(off), keep(0), length, keep(8), 'r0 = 2'))),
  xdp('adjust_tail shrink then grow shows zeros', program(tail(-20), keep(0), tail(30), keep(8), load(40, 16), 'r0 = 2')),
  xdp('adjust_head then back shows the same bytes', program(head(20), keep(0), head(-20), keep(8), load(16, 16), 'r0 = 2')),
  xdp('metadata up to 252 bytes', program(head(50), keep(0), meta(-252), keep(8), 'r0 = 2')),
  xdp('metadata of 256 bytes', program(head(50), keep(0), meta(-256), keep(8), 'r0 = 2')),
  xdp('metadata given back', program(meta(-8), keep(0), meta(4), keep(8), meta(4), keep(16), meta(4), keep(24), 'r0 = 2')),
  xdp('metadata moves with the head', program(meta(-8), keep(0), head(-8), keep(8), length, keep(16), 'r0 = 2')),
  xdp('head may not run into metadata', program(meta(-200), keep(0), head(-17), keep(8), head(-16), keep(16), 'r0 = 2')),
];

const BYTES: HelperCase[] = [
  ...([[0, 8], [56, 8], [57, 8], [63, 1], [64, 1], [65_535, 1], [65_536, 1], [-1, 8]] as const).map(([off, size]) =>
    xdp(`load_bytes ${off} ${size}`, program(call('bpf_xdp_load_bytes', 'ctx', off, 'out+8', size), keep(0), 'r0 = 2'))),
  ...([[0, 8], [56, 8], [57, 8], [64, 1], [65_536, 1]] as const).map(([off, size]) =>
    xdp(`store_bytes ${off} ${size}`, program('*(u64 *)(r10 -8) = -1', call('bpf_xdp_store_bytes', 'ctx', off, 'fp-8', size)))),
];

const devmap = { map_type: BPF_MAP_TYPE_DEVMAP, key_size: 4, value_size: 4, max_entries: 4 };
const cpumap = { map_type: BPF_MAP_TYPE_CPUMAP, key_size: 4, value_size: 4, max_entries: 4 };
const devmapHash = { map_type: BPF_MAP_TYPE_DEVMAP_HASH, key_size: 4, value_size: 4, max_entries: 4 };

const REDIRECTS: HelperCase[] = [
  ...[0, 1, 8, -1].map((flags) => xdp(`redirect flags ${flags}`, program(call('bpf_redirect', 1, flags), keep(0), 'r0 = 1'))),
  ...[0, 1, 2, 3, 4, 8, 0x10, 0x1a, 0x18].flatMap((flags) =>
    Object.entries({ devmap, cpumap, devmapHash }).map(([name, attr]) =>
      xdp(`redirect_map into an empty ${name}, flags ${flags}`, program(call('bpf_redirect_map', 'map:targets', 2, flags), keep(0), 'r0 = 1'), { maps: { targets: attr } }))),
  xdp('redirect_map beyond the end', program(call('bpf_redirect_map', 'map:targets', 4, 2), keep(0), 'r0 = 1'), { maps: { targets: devmap } }),
];

const CONTEXT: HelperCase[] = [
  xdp('fib_lookup of no family', oneCallFib(0, 64)),
  xdp('fib_lookup with short parameters', oneCallFib(2, 63)),
  xdp('fib_lookup of device 0', oneCallFib(2, 64)),
  xdp('fib_lookup with unknown flags', oneCallFib(2, 64, 0x40)),
  ...[0, 1, 1000].flatMap((ifindex) => [0, 100, 65_500].map((asked) =>
    xdp(`check_mtu device ${ifindex}, asked ${asked}`, program(`*(u32 *)(r10 -4) = ${asked}`, call('bpf_check_mtu', 'ctx', ifindex, 'fp-4', 20, 0), keep(0), 'r1 = map_value[out]+8', 'r2 = *(u32 *)(r10 -4)', '*(u32 *)(r1 +0) = r2', 'r0 = 2')))),
  xdp('check_mtu with flags', program('*(u32 *)(r10 -4) = 7', call('bpf_check_mtu', 'ctx', 0, 'fp-4', 0, 1), keep(0), 'r0 = *(u32 *)(r10 -4)')),
  xdp('csum_diff over packet bytes', program(
    'r7 = *(u32 *)(r6 +0)', 'r8 = *(u32 *)(r6 +4)', 'r1 = r7', 'r1 += 34', 'if r1 > r8 goto done', 'r1 = 0', 'r2 = 0', 'r3 = r7', 'r3 += 14', 'r4 = 20', 'r5 = 0', 'call bpf_csum_diff', keep(0), 'done:', 'r0 = 2'), { packet: ipv4() }),
];

function oneCallFib(family: number, size: number, flags = 0): string {
  const zero = Array.from({ length: 8 }, (_, i) => `*(u64 *)(r10 -${8 * (i + 1)}) = 0`);
  return program(...zero, `*(u8 *)(r10 -64) = ${family}`, call('bpf_fib_lookup', 'ctx', 'fp-64', size, flags));
}

/** All cases of XDP programs. */
export const XDP_CASES: readonly HelperCase[] = [...BORDERS, ...BYTES, ...REDIRECTS, ...CONTEXT, xdp('get_buff_len', oneCall('bpf_xdp_get_buff_len', 'ctx'))];
