// The benchmark programs: where each comes from, what its maps hold before, what must be in them afterwards.
// Invariant: `seen` counts runs inside the program itself, so a run that was lost or came to nothing shows. Sources: bench/programs.

import { contents, type BenchMaps } from './maps.ts';
import { fillBackends, fillMatrices, fillNumbers, fillRoutes, fillRules, fillTexts, fillTranslations } from './set-up.ts';
import { viewOf } from '../src/util/bytes.ts';

/** What programs are about. */
export type BenchGroup = 'packet' | 'map' | 'compute' | 'control';

/** One program of the suite. */
export interface BenchProgram {
  /** What it is called on the command line. */
  readonly name: string;
  readonly group: BenchGroup;
  readonly about: string;
  /** Object file in bench/programs, without .bpf.o. */
  readonly object: string;
  /** Programs to load; the first is the one that runs. */
  readonly programs: readonly [string, ...string[]];
  /** Bytes of each packet. */
  readonly packetBytes: number;
  readonly setUp?: (maps: BenchMaps) => void;
  /** What must be equal on every kernel after the same runs. */
  readonly checksum: (maps: BenchMaps) => string;
  /** Runs that the program counted, modulo 2^32; undefined for one that counts nothing. */
  readonly seen: ((maps: BenchMaps) => bigint) | undefined;
  /** Runs after which the ring buffer `events` is full. */
  readonly ringRuns?: number;
}

const SMALL = 64;
const MIDDLE = 320;
const FULL = 1514;
/** Ring size over header and record. */
const RING_RUNS = Math.floor((8 * 1024 * 1024) / 24) - 1;

const seq = (maps: BenchMaps): bigint => maps.global('seq');
const globals = (...names: readonly string[]) => (maps: BenchMaps): string => names.map((name) => `${name} ${maps.globalText(name)}`).join(', ');
const mapsAnd = (...names: readonly string[]) => (maps: BenchMaps): string =>
  [globals('seq', 'sum')(maps), ...names.map((name) => contents(maps, name))].join('; ');

/** Sum of the u64 at the start of each value: packets counted. */
const packetsIn = (name: string) => (maps: BenchMaps): bigint => {
  let total = 0n;
  for (const [, value] of maps.elements(name)) total += viewOf(value).getBigUint64(0, true);
  return total;
};

const numbers = globals('seq', 'sum');

/** The suite, in the order in which it is shown. */
export const SUITE: readonly BenchProgram[] = [
  { name: 'drop', group: 'packet', about: 'nothing but a verdict', object: 'drop', programs: ['drop'], packetBytes: SMALL, checksum: () => '', seen: undefined },
  { name: 'parse-rule', group: 'packet', about: '5-tuple, rule in an array', object: 'parse', programs: ['parse_rule'], packetBytes: SMALL, setUp: fillRules, checksum: mapsAnd('rules'), seen: seq },
  { name: 'flow-1', group: 'packet', about: 'flow tracker, one flow', object: 'flow_tracker', programs: ['flow_1'], packetBytes: SMALL, checksum: mapsAnd('flows'), seen: packetsIn('flows') },
  { name: 'flow-8k', group: 'packet', about: 'flow tracker, 8,192 flows', object: 'flow_tracker', programs: ['flow_8k'], packetBytes: SMALL, checksum: mapsAnd('flows'), seen: packetsIn('flows') },
  { name: 'nat', group: 'packet', about: 'source NAT, two checksums', object: 'nat', programs: ['nat'], packetBytes: SMALL, setUp: fillTranslations, checksum: mapsAnd('translations'), seen: seq },
  { name: 'load-balancer', group: 'packet', about: 'L4, four look-ups, IP in IP', object: 'load_balancer', programs: ['load_balancer'], packetBytes: SMALL, setUp: fillBackends, checksum: mapsAnd('counters'), seen: packetsIn('counters') },
  { name: 'percpu-counter', group: 'map', about: 'per-CPU array, two sums', object: 'percpu_counter', programs: ['percpu_counter'], packetBytes: SMALL, checksum: (maps) => contents(maps, 'counters'), seen: packetsIn('counters') },
  { name: 'array-lookup-8', group: 'map', about: '8 look-ups among 1,024', object: 'array_lookups', programs: ['array_lookup_8'], packetBytes: SMALL, setUp: (maps) => fillNumbers(maps, 'values', 1024), checksum: numbers, seen: seq },
  { name: 'hash-lookup-8', group: 'map', about: '8 look-ups among 8,192', object: 'hash', programs: ['hash_lookup_8'], packetBytes: SMALL, setUp: (maps) => fillNumbers(maps, 'table', 8192), checksum: numbers, seen: seq },
  { name: 'hash-insert-delete', group: 'map', about: 'an element in and out', object: 'hash', programs: ['hash_insert_delete'], packetBytes: SMALL, checksum: mapsAnd('table'), seen: seq },
  { name: 'lru-hit', group: 'map', about: 'LRU hash, key found', object: 'lru', programs: ['lru_hit'], packetBytes: SMALL, setUp: (maps) => fillNumbers(maps, 'recent', 1024), checksum: mapsAnd('recent'), seen: seq },
  // Which elements an LRU keeps is its own affair.
  { name: 'lru-churn', group: 'map', about: 'LRU hash, eviction each run', object: 'lru', programs: ['lru_churn'], packetBytes: SMALL, checksum: numbers, seen: seq },
  { name: 'lpm-10k', group: 'map', about: 'longest of 10,000 prefixes', object: 'lpm', programs: ['lpm_10k'], packetBytes: SMALL, setUp: fillRoutes, checksum: numbers, seen: seq },
  { name: 'ringbuf-event', group: 'map', about: 'event of 16 bytes', object: 'ringbuf', programs: ['ringbuf_event'], packetBytes: SMALL, checksum: numbers, seen: seq, ringRuns: RING_RUNS },
  { name: 'jhash-1500', group: 'compute', about: 'lookup3 of 1,500 bytes', object: 'jhash', programs: ['jhash_1500'], packetBytes: FULL, checksum: numbers, seen: seq },
  { name: 'siphash-1500', group: 'compute', about: 'SipHash-2-4 of 1,500 bytes', object: 'siphash', programs: ['siphash_1500'], packetBytes: FULL, checksum: numbers, seen: seq },
  { name: 'log2', group: 'compute', about: '64 logarithms by halving', object: 'log2', programs: ['log2_64'], packetBytes: SMALL, checksum: numbers, seen: seq },
  { name: 'sieve', group: 'compute', about: 'primes below 512', object: 'sieve', programs: ['sieve'], packetBytes: SMALL, checksum: globals('seq', 'sum', 'crossed'), seen: seq },
  { name: 'memcpy-256', group: 'compute', about: 'packet to map value', object: 'memory', programs: ['memcpy_256'], packetBytes: MIDDLE, checksum: globals('seq', 'copied'), seen: seq },
  { name: 'memcmp-256', group: 'compute', about: 'equal buffers, by words', object: 'memory', programs: ['memcmp_256'], packetBytes: SMALL, setUp: fillTexts, checksum: globals('seq'), seen: seq },
  { name: 'strcmp-256', group: 'compute', about: 'equal texts, by bytes', object: 'memory', programs: ['strcmp_256'], packetBytes: SMALL, setUp: fillTexts, checksum: globals('seq'), seen: seq },
  { name: 'matrix-12', group: 'compute', about: '12×12 product', object: 'matrix', programs: ['matrix_12'], packetBytes: SMALL, setUp: fillMatrices, checksum: globals('seq', 'sum', 'product'), seen: seq },
  { name: 'bpf-calls-4', group: 'control', about: '4 functions of the program', object: 'calls', programs: ['bpf_calls_4'], packetBytes: SMALL, checksum: numbers, seen: seq },
  { name: 'tail-calls-4', group: 'control', about: '4 programs in a chain', object: 'tail_calls', programs: ['tail_calls_4', 'step_1', 'step_2', 'step_3', 'step_4'], packetBytes: SMALL, checksum: numbers, seen: seq },
  { name: 'bpf-loop-100', group: 'control', about: 'bpf_loop, 100 callbacks', object: 'loop', programs: ['bpf_loop_100'], packetBytes: SMALL, checksum: numbers, seen: seq },
  { name: 'ktime', group: 'control', about: 'bpf_ktime_get_ns', object: 'ktime', programs: ['ktime'], packetBytes: SMALL, checksum: globals('seq'), seen: seq },
];

/** `drop` and sixteen empty calls, from which the cost of the loop around the program is told. */
export const CALIBRATION: BenchProgram =
  { name: 'calibrate', group: 'packet', about: '16 calls of an empty function', object: 'calibrate', programs: ['calibrate'], packetBytes: SMALL, checksum: () => '', seen: undefined };
