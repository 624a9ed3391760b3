// Random BPF_MAP_CREATE attributes around every limit, to compare the verdict (0 or errno) of two kernels, or of a kernel and the recorded answers of Linux 6.18.

import * as t from '../../src/spec/map-types.ts';
import type { BpfSyscall, MapCreateAttr } from '../../src/spec/syscall.ts';
import { BpfSyscallError } from '../../src/util/errors.ts';
import { Random } from './random.ts';

const TYPES = [
  t.BPF_MAP_TYPE_HASH, t.BPF_MAP_TYPE_ARRAY, t.BPF_MAP_TYPE_PROG_ARRAY, t.BPF_MAP_TYPE_PERF_EVENT_ARRAY, t.BPF_MAP_TYPE_PERCPU_HASH, t.BPF_MAP_TYPE_PERCPU_ARRAY,
  t.BPF_MAP_TYPE_LRU_HASH, t.BPF_MAP_TYPE_LRU_PERCPU_HASH, t.BPF_MAP_TYPE_LPM_TRIE, t.BPF_MAP_TYPE_DEVMAP, t.BPF_MAP_TYPE_CPUMAP, t.BPF_MAP_TYPE_XSKMAP,
  t.BPF_MAP_TYPE_QUEUE, t.BPF_MAP_TYPE_STACK, t.BPF_MAP_TYPE_DEVMAP_HASH, t.BPF_MAP_TYPE_RINGBUF, t.BPF_MAP_TYPE_BLOOM_FILTER,
];
const KEY_SIZES = [0, 1, 4, 4, 4, 5, 8, 260, 261, 512, 513, 4194304 - 48 - 8, 4194304];
const VALUE_SIZES = [0, 1, 4, 4, 8, 8, 12, 32761, 32768, 32769, 4194304 - 48 - 4 - 1, 4194304 - 48 - 4, 4194304 - 260 - 24, 4194304 - 260 - 23, 4194304, 4194305, 0x80000000];
const ENTRIES = [0, 1, 1, 2, 3, 100, 4096, 4097, 8192, 8193, 12288, 65536];
const FLAGS = [t.BPF_F_NO_PREALLOC, t.BPF_F_NO_COMMON_LRU, t.BPF_F_NUMA_NODE, t.BPF_F_RDONLY, t.BPF_F_WRONLY, t.BPF_F_STACK_BUILD_ID, t.BPF_F_ZERO_SEED, t.BPF_F_RDONLY_PROG,
  t.BPF_F_WRONLY_PROG, t.BPF_F_CLONE, t.BPF_F_MMAPABLE, t.BPF_F_PRESERVE_ELEMS, t.BPF_F_INNER_MAP, t.BPF_F_LINK, 0x40000000];
const NAMES = ['', 'a', 'a_b.c', 'fifteen_letters'];
/** CPUMAPs up to this size every kernel takes; above it depends on CONFIG_NR_CPUS. */
const FEWEST_NR_CPUS = 256;
/** What both kernels surely have memory for. */
const MOST_BYTES = 8 * 1024 * 1024;

/** `count` attribute sets; types whose maps would need much memory are left out. */
export function createAttrs(seed: number, count: number): MapCreateAttr[] {
  const random = new Random(seed);
  const attrs: MapCreateAttr[] = [];
  while (attrs.length < count) {
    const map_type = random.pick(TYPES);
    const keyless = [t.BPF_MAP_TYPE_QUEUE, t.BPF_MAP_TYPE_STACK, t.BPF_MAP_TYPE_BLOOM_FILTER, t.BPF_MAP_TYPE_RINGBUF].includes(map_type as never);
    let map_flags = map_type === t.BPF_MAP_TYPE_LPM_TRIE && random.chance(80) ? t.BPF_F_NO_PREALLOC : 0;
    while (random.chance(25)) map_flags |= random.pick(FLAGS);
    const attr = {
      map_type, key_size: keyless && random.chance(80) ? 0 : random.chance(60) ? (map_type === t.BPF_MAP_TYPE_LPM_TRIE ? 8 : 4) : random.pick(KEY_SIZES),
      value_size: map_type === t.BPF_MAP_TYPE_RINGBUF && random.chance(80) ? 0 : random.chance(50) ? 4 : random.pick(VALUE_SIZES),
      max_entries: random.pick(ENTRIES), map_flags, map_name: random.chance(80) ? '' : random.pick(NAMES),
      map_extra: random.chance(85) ? 0n : random.pick([1n, 15n, 16n, 1n << 32n]),
    };
    if (map_type === t.BPF_MAP_TYPE_CPUMAP && attr.max_entries > FEWEST_NR_CPUS && attr.max_entries <= 8192) continue;
    if ((attr.key_size + attr.value_size + 64) * Math.max(attr.max_entries, 1) < MOST_BYTES || attr.max_entries < 2 || attr.value_size > 4_194_305) attrs.push(attr);
  }
  return attrs;
}

/** 'max_entries flags' of the map that was made, or its errno. */
export function createVerdict(sys: Pick<BpfSyscall, 'mapCreate' | 'mapGetInfoByFd' | 'close'>, attr: MapCreateAttr): string {
  try {
    const fd = sys.mapCreate(attr);
    const { max_entries, map_flags } = sys.mapGetInfoByFd(fd);
    sys.close(fd);
    return `${max_entries} ${map_flags}`;
  } catch (error) {
    if (error instanceof BpfSyscallError) return `errno ${error.errno}`;
    throw error;
  }
}

/** The recorded answers' sequence: `create-recorded.json` holds a real kernel's verdicts for it. */
export const RECORDED = { seed: 618, count: 2000 };

/** Asks a kernel for the answers to keep. */
export const recordCreate = (sys: Parameters<typeof createVerdict>[0], kernel: string): { kernel: string; seed: number; verdicts: string[] } =>
  ({ kernel, seed: RECORDED.seed, verdicts: createAttrs(RECORDED.seed, RECORDED.count).map((attr) => createVerdict(sys, attr)) });
