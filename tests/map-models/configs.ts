// The maps that the models are driven with, and where their random keys and values come from.

import * as t from '../../src/spec/map-types.ts';
import { ArrayModel, PercpuArrayModel } from './array.ts';
import { BloomFilterModel } from './bloom-filter.ts';
import { DevMapHashModel, FdArrayModel, HashOfMapsModel, RedirectArrayModel } from './fd-maps.ts';
import { HashModel } from './hash.ts';
import { LpmTrieModel } from './lpm-trie.ts';
import type { MapModel, ModelConfig } from './model.ts';
import { u32Bytes } from './model.ts';
import { QueueStackModel } from './queue-stack.ts';
import type { Random } from './random.ts';

export type Sizes = Omit<ModelConfig, 'cpus' | 'type'>;
/** Descriptors (or devices) that an element may name → the id that a look-up gives. */
export type Ids = ReadonlyMap<number, number>;

interface TypeRow {
  readonly sizes: readonly Sizes[];
  readonly model: (config: ModelConfig, ids: Ids) => MapModel;
  readonly key: (random: Random, config: ModelConfig) => Uint8Array;
  readonly value: (random: Random, config: ModelConfig, ids: Ids, userValueSize: number) => Uint8Array;
}

const size = (keySize: number, valueSize: number, maxEntries: number, flags = 0): Sizes => ({ keySize, valueSize, maxEntries, flags });

const indexKey: TypeRow['key'] = (random, config) => u32Bytes(random.chance(3) ? random.below(2 ** 32) : random.below(config.maxEntries + 1));

/** Keys that differ in their first and in their last bytes, half as many again as the map holds. */
const hashKey: TypeRow['key'] = (random, config) => {
  const n = random.below(Math.ceil(config.maxEntries * 1.5) + 1);
  const key = new Uint8Array(config.keySize).fill(n & 1 ? 0xa5 : 0);
  key[0] = n & 0xff;
  key[config.keySize - 1] = (key[config.keySize - 1] ?? 0) ^ (n >> (config.keySize === 1 ? 0 : 3));
  return key;
};

/** Prefixes of few distinct bytes, so that they cover each other and part late. */
const lpmKey: TypeRow['key'] = (random, config) => {
  const dataSize = config.keySize - 4;
  const key = new Uint8Array(config.keySize);
  key.set(u32Bytes(random.chance(1) ? dataSize * 8 + 1 + random.below(5) : random.chance(10) ? dataSize * 8 : random.below(dataSize * 8 + 1)));
  for (let i = 4; i < config.keySize; i++) key[i] = random.chance(70) ? 0 : random.pick([1, 0x80, 0xff, 0xc0, 3]);
  return key;
};
const noKey: TypeRow['key'] = () => new Uint8Array(0);

const bytesValue: TypeRow['value'] = (random, _config, _ids, userValueSize) => random.bytes(userValueSize);
const fdValue: TypeRow['value'] = (random, _config, ids) => u32Bytes(random.chance(10) || ids.size === 0 ? 0xffff_ffff : random.pick([...ids.keys()]));
const fewValues: TypeRow['value'] = (random, config) => new Uint8Array(config.valueSize).fill(random.below(40));
/** A device (or queue size) and no program. */
const redirectValue: TypeRow['value'] = (random, config, ids) => {
  const value = new Uint8Array(config.valueSize);
  const first = config.type === t.BPF_MAP_TYPE_CPUMAP ? random.pick([0, 0, 192, 16384, 16385]) : random.pick([0, 0xffff, ...ids.keys(), ...ids.keys()]);
  value.set(u32Bytes(first));
  if (config.valueSize === 8 && random.chance(50)) value.fill(0xff, 4);
  return value;
};

const array: TypeRow = { sizes: [size(4, 8, 5), size(4, 1, 1), size(4, 13, 17), size(4, 300, 3)], model: (config) => new ArrayModel(config), key: indexKey, value: bytesValue };
const hashSizes = [size(4, 8, 8), size(1, 1, 3), size(3, 5, 10), size(8, 16, 20), size(13, 20, 7), size(40, 200, 9), size(100, 4, 12), size(4, 4, 1)];
const noPrealloc = hashSizes.map((sizes) => ({ ...sizes, flags: t.BPF_F_NO_PREALLOC }));
const hash: TypeRow = { sizes: [...hashSizes, ...noPrealloc], model: (config) => new HashModel(config), key: hashKey, value: bytesValue };
const lru: TypeRow = { ...hash, sizes: [...hashSizes, size(4, 8, 6, t.BPF_F_NO_COMMON_LRU)] };
const queue: TypeRow = { sizes: [size(0, 8, 4), size(0, 1, 1), size(0, 30, 9), size(0, 200, 3)], model: (config) => new QueueStackModel(config), key: noKey, value: bytesValue };
const fdArray: TypeRow = { sizes: [size(4, 4, 6)], model: (config, ids) => new FdArrayModel(config, ids), key: indexKey, value: fdValue };
const redirect: TypeRow = { sizes: [size(4, 4, 6), size(4, 8, 6)], model: (config, ids) => new RedirectArrayModel(config, ids), key: indexKey, value: redirectValue };

/** Every map type that can be driven by commands alone. */
export const DRIVEN: ReadonlyMap<number, TypeRow> = new Map<number, TypeRow>([
  [t.BPF_MAP_TYPE_ARRAY, array],
  [t.BPF_MAP_TYPE_PERCPU_ARRAY, { ...array, model: (config) => new PercpuArrayModel(config) }],
  [t.BPF_MAP_TYPE_HASH, hash], [t.BPF_MAP_TYPE_PERCPU_HASH, hash],
  [t.BPF_MAP_TYPE_LRU_HASH, lru], [t.BPF_MAP_TYPE_LRU_PERCPU_HASH, lru],
  [t.BPF_MAP_TYPE_LPM_TRIE, {
    sizes: [size(8, 8, 30, 1), size(5, 1, 10, 1), size(20, 16, 40, 1), size(11, 3, 25, 1), size(40, 8, 20, 1), size(8, 4, 2, 1)],
    model: (config) => new LpmTrieModel(config), key: lpmKey, value: bytesValue,
  }],
  [t.BPF_MAP_TYPE_QUEUE, queue], [t.BPF_MAP_TYPE_STACK, queue],
  [t.BPF_MAP_TYPE_BLOOM_FILTER, { sizes: [size(0, 4, 10), size(0, 1, 100), size(0, 29, 5)], model: (config) => new BloomFilterModel(config), key: noKey, value: fewValues }],
  [t.BPF_MAP_TYPE_PROG_ARRAY, fdArray], [t.BPF_MAP_TYPE_PERF_EVENT_ARRAY, fdArray], [t.BPF_MAP_TYPE_ARRAY_OF_MAPS, fdArray], [t.BPF_MAP_TYPE_XSKMAP, fdArray],
  [t.BPF_MAP_TYPE_HASH_OF_MAPS, { sizes: [size(4, 4, 5), size(7, 4, 9, 1)], model: (config, ids) => new HashOfMapsModel(config, ids), key: hashKey, value: fdValue }],
  [t.BPF_MAP_TYPE_DEVMAP, redirect], [t.BPF_MAP_TYPE_CPUMAP, redirect],
  [t.BPF_MAP_TYPE_DEVMAP_HASH, { ...redirect, model: (config, ids) => new DevMapHashModel(config, ids), key: hashKey }],
]);
