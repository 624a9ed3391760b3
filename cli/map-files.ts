// Maps and globals in and out as JSON: what --map and --set fill, what --maps-out and the end of a run show.
// A map's file is an array of { "key": …, "value": … } (no key for queues and stacks), values by their BTF types.

import type { BpfObject, BtfValue, TypedMap } from '../src/index.ts';
import { toJson } from '../src/index.ts';
import { UsageError } from '../src/util/errors.ts';
import { fromFile, readBytes } from './files.ts';

const RIGHT_SIDES: Readonly<Record<string, string>> = { '--map': 'FILE.json', '--as': 'STRUCT' };

/** NAME=REST of an option. Throws UsageError. */
export function splitAssignment(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  const what = RIGHT_SIDES[option] ?? 'VALUE';
  if (at <= 0 || (what !== 'VALUE' && at === text.length - 1)) throw new UsageError(`${option} takes NAME=${what}, not '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Fills a map from a JSON file. Throws UsageError (file), LoadError (a value that doesn't fit). */
export function fillMap(object: BpfObject, name: string, file: string): void {
  const map = object.map(name);
  const json = parseJson(file, Buffer.from(readBytes(file)).toString('utf8'));
  fromFile(file, () => map.fill(json));
}

function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The value of --set: JSON for objects, arrays and quoted text, else the text itself (numbers, enumerators, addresses). */
export const parseSetting = (text: string): BtfValue => (/^[[{"]/.test(text) ? (parseJson(`--set value ${text}`, text) as BtfValue) : text);

/** Elements as bpftool prints them: `{ key, value }`, per-CPU `{ key, values }`, queues and stacks `{ value }`. */
export type MapElements = readonly Readonly<Record<string, BtfValue>>[];

const UNLISTED = new Set(['BPF_MAP_TYPE_RINGBUF', 'BPF_MAP_TYPE_PERF_EVENT_ARRAY', 'BPF_MAP_TYPE_BLOOM_FILTER']);
const POPPED = new Set(['BPF_MAP_TYPE_QUEUE', 'BPF_MAP_TYPE_STACK']);
const drained = new WeakMap<TypedMap, MapElements>();

/** What a map holds after a run; undefined for types that can't be listed. Queues and stacks are emptied, once. */
export function mapElements(map: TypedMap): MapElements | undefined {
  if (UNLISTED.has(map.type)) return undefined;
  if (!POPPED.has(map.type)) return map.dump();
  const known = drained.get(map) ?? popAll(map);
  drained.set(map, known);
  return known;
}

function popAll(map: TypedMap): MapElements {
  const elements: Record<string, BtfValue>[] = [];
  for (let value = map.pop(); value !== undefined; value = map.pop()) elements.push({ value });
  return elements;
}

/** All maps as one JSON object: { name: [elements as bpftool prints them] }; null for maps that can't be listed. */
export function mapsAsJson(object: BpfObject): string {
  const maps = Object.entries(object.maps).map(([name, map]) => {
    const elements = mapElements(map)?.map((element) => `\n    ${toJson({ ...element })}`);
    if (elements === undefined) return `\n  ${JSON.stringify(name)}: null`;
    return `\n  ${JSON.stringify(name)}: [${elements.join(',')}${elements.length > 0 ? '\n  ' : ''}]`;
  });
  return `{${maps.join(',')}\n}\n`;
}
