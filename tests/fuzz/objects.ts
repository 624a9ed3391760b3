// Mutated BPF objects: whatever the bytes, opening and loading ends soon, and in a typed error if in any.
// Seeded: the same seed gives the same objects. Mutations know where headers, sections, symbols, relocations and BTF lie, so that
// most mutants get past the first check.

import { readdirSync } from 'node:fs';
import type { Btf } from '../../src/btf/btf.ts';
import { formatDefinition } from '../../src/btf/print.ts';
import { parseElf } from '../../src/elf/elf.ts';
import { decodeValue } from '../../src/loader/btf-values.ts';
import { ObjectLoader } from '../../src/loader/load.ts';
import { openObject } from '../../src/loader/open.ts';
import type { ObjectSpec } from '../../src/loader/object-spec.ts';
import { BpfkitError, InternalError } from '../../src/util/errors.ts';
import { OBJECTS, objectBtf, readObject } from '../loader/object-programs.ts';
import { RecordingKernel } from '../loader/recording-kernel.ts';

/** What came of the mutants: counts by outcome, and everything that should not have been. */
export interface FuzzReport { readonly outcomes: Map<string, number>; readonly failures: string[]; readonly slowestMs: number }

/** No mutant may take longer than this to open, load and print. */
export const OBJECT_LIMIT_MS = 2000;

/** xorshift32; numbers below `bound`. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const WORDS = [0, 1, 2, 7, 8, 0x7f, 0xff, 0x100, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];

interface Base { readonly name: string; readonly bytes: Uint8Array; readonly regions: readonly { readonly start: number; readonly end: number }[] }

/** The object's parts, each as likely to be hit as the others, whatever its size. */
function readBase(name: string): Base {
  const bytes = readObject(name);
  const elf = parseElf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers = Number(view.getBigUint64(0x28, true));
  const sections = elf.sections.filter((s) => s.data.length > 0 && !s.name.startsWith('.debug')).map((s) => ({ start: s.offset, end: s.offset + s.size }));
  return { name, bytes, regions: [{ start: 0, end: 64 }, { start: headers, end: bytes.length }, ...sections] };
}

type Random = (bound: number) => number;
type Bytes = Uint8Array<ArrayBuffer>;
type Mutation = (bytes: Bytes, base: Base, random: Random) => Bytes;

function place(base: Base, random: Random, align: number): number {
  const region = base.regions[random(base.regions.length)] ?? { start: 0, end: 64 };
  return Math.min(base.bytes.length - 8, region.start + Math.floor(random(Math.max(1, region.end - region.start)) / align) * align);
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, base, random) {
    const at = place(base, random, 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return bytes;
  },
  function setWord(bytes, base, random) {
    new DataView(bytes.buffer).setUint32(place(base, random, 4), WORDS[random(WORDS.length)] ?? 0, true);
    return bytes;
  },
  function nudgeWord(bytes, base, random) {
    const view = new DataView(bytes.buffer);
    const at = place(base, random, 4);
    view.setUint32(at, view.getUint32(at, true) + random(17) - 8, true);
    return bytes;
  },
  function splice(bytes, base, random) {
    const length = 1 + random(64);
    const from = place(base, random, 4);
    bytes.copyWithin(place(base, random, 4), from, Math.min(bytes.length, from + length));
    return bytes;
  },
  function setByte(bytes, base, random) {
    bytes[place(base, random, 1)] = random(256);
    return bytes;
  },
  function truncate(bytes, _base, random) {
    // Rarely: it seldom gets past the first check.
    return random(4) === 0 ? bytes.slice(0, random(bytes.length)) : bytes;
  },
];

function mutate(base: Base, random: Random): Bytes {
  let bytes: Bytes = new Uint8Array(base.bytes);
  for (let left = 1 + random(4); left > 0 && bytes.length >= base.bytes.length; left--) bytes = (MUTATIONS[random(MUTATIONS.length)] as Mutation)(bytes, base, random);
  return bytes;
}

/** Opens, loads, prints and decodes; throws what any of these throws. */
function exercise(bytes: Uint8Array, kernelBtf: () => Btf | Uint8Array): string {
  const spec = openObject(bytes, { name: 'fuzz' });
  if (spec.btf !== undefined) for (let id = 1; id < Math.min(spec.btf.typeCount, 200); id++) formatDefinition(spec.btf, id);
  decodeVariables(spec);
  const kernel = new RecordingKernel();
  const loader = new ObjectLoader(spec, kernel, { kernelBtf });
  try {
    for (const prog of spec.programs) loader.load(prog);
  } finally {
    loader.close();
  }
  return 'loaded';
}

const target = objectBtf('core-target.bpf.o');

/** The target kernel's types with a few words of the type part changed. */
function mutateTypes(random: Random): Uint8Array {
  const bytes = new Uint8Array(target.bytes);
  const view = new DataView(bytes.buffer);
  const { typeStart, typeLen } = target.layout;
  for (let left = 1 + random(6); left > 0; left--) {
    const at = typeStart + random(typeLen / 4) * 4;
    view.setUint32(at, random(2) === 0 ? view.getUint32(at, true) + random(33) - 16 : random(target.typeCount + 2), true);
  }
  return bytes;
}

function decodeVariables(spec: ObjectSpec): void {
  for (const variable of spec.variables) {
    const bytes = spec.maps.find((m) => m.name === variable.map)?.contents?.subarray(variable.offset, variable.offset + variable.size);
    if (spec.btf === undefined || bytes === undefined || variable.typeId === 0) continue;
    try {
      decodeValue(spec.btf, variable.typeId, bytes);
    } catch (error) {
      if (!(error instanceof BpfkitError) || error instanceof InternalError) throw error;
    }
  }
}

/** Runs `count` mutants. */
export function fuzzObjects(seed: number, count: number): FuzzReport {
  const bases = readdirSync(OBJECTS).filter((name) => name.endsWith('.bpf.o')).sort().map(readBase);
  const random = randomNumbers(seed);
  const outcomes = new Map<string, number>();
  const failures: string[] = [];
  let slowestMs = 0;
  for (let i = 0; i < count; i++) {
    const base = bases[random(bases.length)] as Base;
    const bytes = mutate(base, random);
    const start = performance.now();
    const brokenTarget = random(4) === 0 ? mutateTypes(random) : undefined;
    const outcome = run(bytes, () => brokenTarget ?? target);
    const elapsed = performance.now() - start;
    slowestMs = Math.max(slowestMs, elapsed);
    outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
    if (outcome.failure !== undefined) failures.push(`seed ${seed}, mutant ${i} of ${base.name}: ${outcome.failure}`);
    if (elapsed > OBJECT_LIMIT_MS) failures.push(`seed ${seed}, mutant ${i} of ${base.name}: ${elapsed.toFixed(0)} ms (${outcome.kind})`);
  }
  return { outcomes, failures, slowestMs };
}

function run(bytes: Uint8Array, kernelBtf: () => Btf | Uint8Array): { kind: string; failure?: string } {
  try {
    return { kind: exercise(bytes, kernelBtf) };
  } catch (error) {
    if (error instanceof BpfkitError && !(error instanceof InternalError)) return { kind: error.name };
    return { kind: 'untyped', failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
