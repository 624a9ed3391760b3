// Maps and globals in and out as JSON: what --map and --set fill, what --maps-out and the end of a run show.
// A map's file is an array of { "key": …, "value": … } (no key for queues and stacks), values by their BTF types.

import type { BpfObject, BtfValue, MapEntry, TypedMap } from '../src/index.ts';
import { toHex, toJson } from '../src/index.ts';
import { LoadError, UsageError } from '../src/util/errors.ts';
import { readBytes } from './files.ts';

/** NAME=REST of an option. Throws UsageError. */
export function splitAssignment(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`${option} takes NAME=${option === '--map' ? 'FILE.json' : 'VALUE'}, not '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Fills a map from a JSON file. Throws UsageError (file), LoadError (a value that doesn't fit). */
export function fillMap(object: BpfObject, name: string, file: string): void {
  const map = object.map(name);
  const elements = parseJson(file, Buffer.from(readBytes(file)).toString('utf8'));
  if (!Array.isArray(elements)) throw new UsageError(`${file}: an array of { "key": …, "value": … } is expected`);
  elements.forEach((element: unknown, i) => putElement(map, element, `${file}: element ${i}`));
}

function putElement(map: TypedMap, element: unknown, where: string): void {
  if (typeof element !== 'object' || element === null || !('value' in element)) throw new UsageError(`${where}: no "value"`);
  const { key, value } = element as { key?: BtfValue; value: BtfValue };
  try {
    map.set(key, value);
  } catch (error) {
    throw error instanceof LoadError ? new LoadError(`${where}: ${error.message}`) : error;
  }
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

/** A key or value as JSON text: typed where BTF is, else hex. */
export function show(value: MapEntry['value']): string {
  return toJson(plain(value));
}

function plain(value: MapEntry['value']): BtfValue {
  if (value instanceof Uint8Array) return `hex:${toHex(value)}`;
  return Array.isArray(value) ? value.map((each) => plain(each as MapEntry['value'])) : value;
}

/** All maps as one JSON object: { name: [{ "key": …, "value": … }] }. */
export function mapsAsJson(object: BpfObject): string {
  const maps = Object.entries(object.maps).map(([name, map]) => {
    const entries = [...map.entries()].map((entry) => `\n    { "key": ${show(entry.key)}, "value": ${show(entry.value)} }`);
    return `\n  ${JSON.stringify(name)}: [${entries.join(',')}${entries.length > 0 ? '\n  ' : ''}]`;
  });
  return `{${maps.join(',')}\n}\n`;
}
