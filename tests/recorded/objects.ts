// What a kernel answers to every program of the committed objects, in a form that is committed: verdict, errno, message, counters, and for packet
// programs the results of test runs on packets of the capture with the maps afterwards. The same function asks the simulated kernel and the real one.
// Left out: times, contents of maps that hold ids of other objects, ring and perf buffers; LRU maps are small enough never to evict.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Btf } from '../../src/btf/btf.ts';
import { readCapture } from '../../src/formats/capture-reader.ts';
import { toJson, type BtfValue } from '../../src/loader/btf-values.ts';
import { loadObject, ObjectLoader, type LoadedObject } from '../../src/loader/load.ts';
import { dumpMap } from '../../src/loader/map-values.ts';
import type { ObjectSpec, ProgramSpec } from '../../src/loader/object-spec.ts';
import { openObject } from '../../src/loader/open.ts';
import * as t from '../../src/spec/map-types.ts';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } from '../../src/spec/prog-types.ts';
import type { BpfSyscall } from '../../src/spec/syscall.ts';
import { toHex } from '../../src/util/bytes.ts';
import { BpfSyscallError } from '../../src/util/errors.ts';
import { logStats, verdictMessage } from '../../cli/log-stats.ts';
import { objectBtf } from '../loader/object-programs.ts';

/** One line of objects.jsonl. */
export interface ObjectAnswer {
  readonly object: string;
  readonly program: string;
  readonly verdict: 'accept' | 'reject';
  readonly errno?: number;
  readonly message?: string;
  readonly processed_insns: number | null;
  readonly total_states: number | null;
  readonly peak_states: number | null;
  /** `retval:packet` for each packet of PACKETS, the packet `same` or as hex. */
  readonly runs?: readonly string[];
  /** Elements of each map, sorted; those that are zero left out. */
  readonly maps?: Readonly<Record<string, readonly string[]>>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['examples', 'tests/objects', 'bench/programs'];
const PACKET_PROGRAMS = new Set([BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SOCKET_FILTER]);
/** Every n-th packet of the capture: 13 of them, with TCP, UDP, DNS, ICMP, IPv6 and VLAN tags among them. */
const EVERY = 47;
const LOG = 1 | 4;
const UNCOMPARED_MAPS = new Set([
  t.BPF_MAP_TYPE_PROG_ARRAY, t.BPF_MAP_TYPE_ARRAY_OF_MAPS, t.BPF_MAP_TYPE_HASH_OF_MAPS, t.BPF_MAP_TYPE_PERF_EVENT_ARRAY, t.BPF_MAP_TYPE_DEVMAP,
  t.BPF_MAP_TYPE_DEVMAP_HASH, t.BPF_MAP_TYPE_CPUMAP, t.BPF_MAP_TYPE_XSKMAP, t.BPF_MAP_TYPE_BLOOM_FILTER,
]);

/** Every committed object, by path from the root. */
export function objectPaths(): string[] {
  return FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.bpf.o')).map((path) => join(folder, path).replaceAll('\\', '/'))).sort();
}

/** An object of the list, opened. */
export const openPath = (path: string): ObjectSpec => openObject(new Uint8Array(readFileSync(join(ROOT, path))), { name: path });

/** Types that CO-RE relocations are against: a committed object's, so that every machine resolves them alike. */
const targetBtf = (): Btf => objectBtf('core-target.bpf.o');

let packets: readonly Uint8Array[] | undefined;
function capturePackets(): readonly Uint8Array[] {
  packets ??= readCapture(new Uint8Array(readFileSync(join(ROOT, 'examples/captures/mixed.pcap')))).packets.filter((_, i) => i % EVERY === 0).map((packet) => packet.data);
  return packets;
}

/** Asks one kernel about one program. Throws what the loader throws (LoadError, NotSupportedError) when the program never reaches a verifier. */
export function askObject(sys: BpfSyscall, object: string, spec: ObjectSpec, prog: ProgramSpec): ObjectAnswer {
  const verdict = askVerdict(sys, spec, prog);
  const base = { object, program: prog.name, ...verdict };
  return verdict.verdict === 'accept' && PACKET_PROGRAMS.has(prog.type) ? { ...base, ...askRuns(sys, spec, prog) } : base;
}

function askVerdict(sys: BpfSyscall, spec: ObjectSpec, prog: ProgramSpec): Omit<ObjectAnswer, 'object' | 'program'> {
  const loader = new ObjectLoader(spec, sys, { kernelBtf: targetBtf });
  try {
    const attr = loader.progLoadAttr(prog);
    try {
      const { fd, log } = sys.progLoad({ ...attr, log_level: LOG });
      sys.close(fd);
      return { verdict: 'accept', ...counters(log) };
    } catch (error) {
      if (!(error instanceof BpfSyscallError) || error.log === '') throw error;
      return { verdict: 'reject', errno: error.errno, message: verdictMessage(error.log), ...counters(error.log) };
    }
  } finally {
    loader.close();
  }
}

function counters(log: string): Pick<ObjectAnswer, 'processed_insns' | 'total_states' | 'peak_states'> {
  const stats = logStats(log);
  return { processed_insns: stats.processed_insns ?? null, total_states: stats.total_states ?? null, peak_states: stats.peak_states ?? null };
}

function askRuns(sys: BpfSyscall, spec: ObjectSpec, prog: ProgramSpec): Pick<ObjectAnswer, 'runs' | 'maps'> {
  const tailCalls = spec.maps.flatMap((map) => map.slots.filter((slot) => slot.target === 'prog').map((slot) => slot.name));
  const loaded = loadObject(spec, sys, { programs: [...new Set([prog.name, ...tailCalls])], kernelBtf: targetBtf });
  try {
    const fd = loaded.progs.get(prog.name)?.fd ?? -1;
    return { runs: capturePackets().map((packet) => runOnce(sys, fd, packet)), maps: dumpMaps(sys, loaded) };
  } finally {
    loaded.close();
  }
}

function runOnce(sys: BpfSyscall, fd: number, packet: Uint8Array): string {
  const out = new Uint8Array(4096);
  try {
    const { retval, data_size_out: size } = sys.progTestRun({ prog_fd: fd, data_in: packet, data_out: out, repeat: 1 });
    const after = toHex(out.subarray(0, size));
    return `${retval}:${after === toHex(packet) ? 'same' : after}`;
  } catch (error) {
    if (error instanceof BpfSyscallError) return `errno ${error.errno}`;
    throw error;
  }
}

function dumpMaps(sys: BpfSyscall, loaded: LoadedObject): Record<string, string[]> {
  const maps: Record<string, string[]> = {};
  for (const { name, spec, fd } of loaded.maps.values()) {
    if (UNCOMPARED_MAPS.has(spec.type) || spec.maxEntries > 10_000 || name.startsWith('.rodata')) continue;
    const elements = dumpMap(sys, fd, spec, loaded.spec.btf) ?? [];
    const shown = elements.filter((element) => !isZero((element as { value?: BtfValue; values?: BtfValue }).value ?? (element as { values?: BtfValue }).values ?? null)).map((element) => toJson(withoutTimes(element)));
    if (shown.length > 0) maps[name] = shown.sort();
  }
  return maps;
}

/** Numbers all zero; `cpu` members of per-CPU values don't count. */
function isZero(value: BtfValue): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) === 0;
  if (Array.isArray(value)) return value.every(isZero);
  if (value !== null && typeof value === 'object') return Object.entries(value).every(([name, each]) => name === 'cpu' || isZero(each));
  return value === '0x00' || value === '' || value === false || value === null;
}

/** Members that hold a time say so instead. */
function withoutTimes(value: BtfValue): BtfValue {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, /(^|_)(ns|time|jiffies)$/.test(name) ? 'time' : withoutTimes(each)]));
}
