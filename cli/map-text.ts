// Maps as `bpfkit run` shows them on a terminal: the elements that say something, a line each.
// Invariant: what is left out (elements of arrays that are zero, entries beyond the first few) is counted, never silent; --maps-out has all.

import { showPrefix, showValue, toJson, zeroJson, type Btf, type BtfValue, type TypedMap } from '../src/index.ts';
import { mapElements } from './map-files.ts';

/** Entries of a map that are shown; --maps-out has all. */
const SHOWN_ENTRIES = 20;
const ARRAYS = new Set(['BPF_MAP_TYPE_ARRAY', 'BPF_MAP_TYPE_PERCPU_ARRAY']);

/** The lines of one map, the first one its name. `events`: records taken from it, for ring and perf buffers. */
export function mapLines(map: TypedMap, btf: Btf | undefined, events: number | undefined): string[] {
  const { spec } = map.map;
  const title = `map ${map.name} (${map.type})`;
  if (events !== undefined) return [`${title}: ${count(events, 'event')} taken`];
  const elements = mapElements(map);
  if (elements === undefined) return [`${title}: elements of this type can't be listed`];
  const first = elements[0]?.['value'];
  if (spec.contents !== undefined && elements.length === 1 && isRecord(first)) return [`${title}: ${count(Object.keys(first).length, 'variable')}`, ...variableLines(first, btf, spec.valueTypeId)];
  const shown = ARRAYS.has(map.type) ? elements.filter((element) => !isZero(map, btf, element)) : elements;
  const zero = elements.length - shown.length;
  return [
    `${title}: ${count(elements.length, 'entry', 'entries')}${zero === 0 ? '' : zero === elements.length ? ', all zero' : `, ${zero} of them zero`}`,
    ...shown.slice(0, SHOWN_ENTRIES).map((element) => elementLine(map, btf, element)),
    ...(shown.length > SHOWN_ENTRIES ? [`  … ${shown.length - SHOWN_ENTRIES} more (--maps-out FILE writes all)`] : []),
  ];
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const isRecord = (value: BtfValue | undefined): value is { [name: string]: BtfValue } => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values of a per-CPU element, by CPU. */
const perCpu = (element: Readonly<Record<string, BtfValue>>): readonly { readonly cpu: BtfValue; readonly value: BtfValue }[] | undefined =>
  element['values'] as unknown as { cpu: BtfValue; value: BtfValue }[] | undefined;

function isZero(map: TypedMap, btf: Btf | undefined, element: Readonly<Record<string, BtfValue>>): boolean {
  const zero = zeroJson(btf, map.map.spec.valueTypeId, map.map.spec.valueSize);
  const values = perCpu(element)?.map((each) => each.value) ?? [element['value'] ?? null];
  return values.every((value) => toJson(value) === zero);
}

function elementLine(map: TypedMap, btf: Btf | undefined, element: Readonly<Record<string, BtfValue>>): string {
  const { keyTypeId, valueTypeId } = map.map.spec;
  const one = (value: BtfValue): string => showValue(btf, valueTypeId, value);
  const values = perCpu(element);
  const text = values === undefined ? one(element['value'] ?? null) : values.length === 1 ? one(values[0]?.value ?? null) : values.map(({ cpu, value }) => `CPU ${String(cpu)} ${one(value)}`).join(', ');
  const { key } = element;
  if (key === undefined) return `  ${text}`;
  const prefix = map.type === 'BPF_MAP_TYPE_LPM_TRIE' ? showPrefix(key) : undefined;
  return `  ${prefix ?? indexOf(map, key) ?? showValue(btf, keyTypeId, key)}: ${text}`;
}

/** The index that an array's key without type is. */
function indexOf(map: TypedMap, key: BtfValue): string | undefined {
  if (!map.type.endsWith('ARRAY') || map.map.spec.keyTypeId !== 0 || !Array.isArray(key)) return undefined;
  return String(key.reduce((sum: number, byte, i) => sum + Number(byte) * 256 ** i, 0));
}

function variableLines(variables: { readonly [name: string]: BtfValue }, btf: Btf | undefined, typeId: number): string[] {
  return Object.entries(variables).map(([name, value]) => `  ${name} = ${showVariable(btf, typeId, name, value)}`);
}

/** A variable alone is shown as its data section's only member would be. */
function showVariable(btf: Btf | undefined, sectionTypeId: number, name: string, value: BtfValue): string {
  const text = showValue(btf, sectionTypeId, { [name]: value });
  return text.slice(name.length + 3, -1);
}
