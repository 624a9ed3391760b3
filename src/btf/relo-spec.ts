// The path that a CO-RE relocation names: parsed from clang's access string on the local side, found again by name on the target's.
// Invariant: a spec's `accessors` hold the turning points (named members and array indexes), `raw` every step, `bitOffset` their sum.
// Semantics as libbpf 1.x (relo_core.c: bpf_core_parse_spec, bpf_core_spec_match); every search is bounded on hostile BTF.

import {
  BPF_CORE_ENUMVAL_EXISTS, BPF_CORE_ENUMVAL_VALUE, BPF_CORE_FIELD_RSHIFT_U64, BPF_CORE_RELO_KINDS, BPF_CORE_TYPE_ID_LOCAL, BPF_CORE_TYPE_MATCHES, BPF_CORE_TYPE_SIZE, BTF_KIND_ARRAY,
  BTF_KINDS,
} from '../spec/btf.ts';
import type { Btf } from './btf.ts';
import type { CoreRelo } from './ext.ts';
import { essentialName } from './name-index.ts';
import { fieldsAreCompat, typesAreCompat, typesMatch } from './relo-compat.ts';
import type { BtfArray, BtfComposite, BtfEnum } from './types.ts';
import { isComposite, isEnum, sizeOf, skipModsAndTypedefs } from './walk.ts';

/** Steps that an access string may have (BPF_CORE_SPEC_MAX_LEN). */
const SPEC_MAX_LEN = 64;

/** One turning point: member or element `index` of type `typeId`; `name` undefined for array elements. */
export interface CoreAccessor { readonly typeId: number; readonly index: number; readonly name: string | undefined }

/** A resolved path in one BTF. */
export interface CoreSpec {
  readonly btf: Btf;
  readonly kind: number;
  readonly rootTypeId: number;
  readonly accessors: readonly CoreAccessor[];
  readonly raw: readonly number[];
  readonly bitOffset: number;
}

export const isFieldBased = (kind: number): boolean => kind <= BPF_CORE_FIELD_RSHIFT_U64;
export const isTypeBased = (kind: number): boolean => (kind >= BPF_CORE_TYPE_ID_LOCAL && kind <= BPF_CORE_TYPE_SIZE) || kind === BPF_CORE_TYPE_MATCHES;
export const isEnumBased = (kind: number): boolean => kind === BPF_CORE_ENUMVAL_EXISTS || kind === BPF_CORE_ENUMVAL_VALUE;

/** A path being built. */
interface Draft { accessors: CoreAccessor[]; raw: number[]; bitOffset: number }

/** An array without a length, last in its struct, may be indexed anywhere. */
function isFlexibleArray(btf: Btf, last: CoreAccessor | undefined, array: BtfArray): boolean {
  if (last === undefined || last.name === undefined || array.nelems > 0) return false;
  return last.index === btf.vlen(last.typeId) - 1;
}

function parseSteps(text: string): number[] | undefined {
  if (!/^\d{1,9}(:\d{1,9})*$/.test(text)) return undefined;
  const steps = text.split(':').map(Number);
  return steps.length > SPEC_MAX_LEN ? undefined : steps;
}

/** Follows one index into a struct or array; false when it does not fit the type. Returns the next type id. */
function step(btf: Btf, draft: Draft, id: number, index: number): number | undefined {
  const at = skipModsAndTypedefs(btf, id);
  if (isComposite(btf, at)) {
    const member = (btf.type(at) as BtfComposite).members[index];
    if (member === undefined) return undefined;
    draft.bitOffset += member.bitOffset;
    if (member.name !== '') draft.accessors.push({ typeId: at, index, name: member.name });
    return member.type;
  }
  if (btf.kind(at) !== BTF_KIND_ARRAY) return undefined;
  const array = btf.type(at) as BtfArray;
  return stepInto(btf, draft, array, index);
}

function stepInto(btf: Btf, draft: Draft, array: BtfArray, index: number): number | undefined {
  if (index >= array.nelems && !isFlexibleArray(btf, draft.accessors.at(-1), array)) return undefined;
  const element = skipModsAndTypedefs(btf, array.type);
  const size = sizeOf(btf, element);
  if (size === undefined) return undefined;
  draft.accessors.push({ typeId: element, index, name: undefined });
  draft.bitOffset += index * size * 8;
  return element;
}

/** The local path of a relocation; undefined when the access string does not fit the type. */
export function parseSpec(btf: Btf, relo: CoreRelo): CoreSpec | undefined {
  const { kind, typeId } = relo;
  const base = { btf, kind, rootTypeId: typeId };
  if (isTypeBased(kind)) return relo.accessStr === '0' ? { ...base, accessors: [], raw: [], bitOffset: 0 } : undefined;
  const raw = parseSteps(relo.accessStr);
  const first = raw?.[0];
  if (raw === undefined || first === undefined) return undefined;
  const root = skipModsAndTypedefs(btf, typeId);
  if (isEnumBased(kind)) {
    const name = isEnum(btf, root) ? (btf.type(root) as BtfEnum).values[first]?.name : undefined;
    return name === undefined || raw.length > 1 ? undefined : { ...base, accessors: [{ typeId: root, index: first, name }], raw, bitOffset: 0 };
  }
  const size = sizeOf(btf, root);
  if (!isFieldBased(kind) || size === undefined) return undefined;
  const draft: Draft = { accessors: [{ typeId: root, index: first, name: undefined }], raw, bitOffset: first * size * 8 };
  let at: number | undefined = root;
  for (const index of raw.slice(1)) {
    at = step(btf, draft, at, index);
    if (at === undefined) return undefined;
  }
  return { ...base, ...draft };
}

/** The path of `local` in `target`, starting at candidate type `targetId`; undefined when it does not match. */
export function matchSpec(local: CoreSpec, target: Btf, targetId: number): CoreSpec | undefined {
  const base = { btf: target, kind: local.kind, rootTypeId: targetId };
  if (isTypeBased(local.kind)) {
    const matches = local.kind === BPF_CORE_TYPE_MATCHES ? typesMatch : typesAreCompat;
    return matches(local.btf, local.rootTypeId, target, targetId) ? { ...base, accessors: [], raw: [], bitOffset: 0 } : undefined;
  }
  if (isEnumBased(local.kind)) return matchEnumerator(local, target, targetId);
  const draft: Draft = { accessors: [], raw: [], bitOffset: 0 };
  let at: number | undefined = targetId;
  for (const accessor of local.accessors) {
    at = accessor.name === undefined ? matchElement(target, draft, at, accessor) : matchMember(local.btf, accessor, target, at, draft, new Set());
    if (at === undefined || draft.raw.length > SPEC_MAX_LEN) return undefined;
  }
  return { ...base, ...draft };
}

function matchEnumerator(local: CoreSpec, target: Btf, targetId: number): CoreSpec | undefined {
  const id = skipModsAndTypedefs(target, targetId);
  if (!isEnum(target, id)) return undefined;
  const wanted = essentialName(local.accessors[0]?.name ?? '');
  const index = (target.type(id) as BtfEnum).values.findIndex((v) => essentialName(v.name) === wanted);
  if (index < 0) return undefined;
  const name = (target.type(id) as BtfEnum).values[index]?.name;
  return { btf: target, kind: local.kind, rootTypeId: targetId, accessors: [{ typeId: id, index, name }], raw: [index], bitOffset: 0 };
}

/** The first accessor indexes the root itself; later ones need an array in the target too. */
function matchElement(target: Btf, draft: Draft, id: number, accessor: CoreAccessor): number | undefined {
  const at = skipModsAndTypedefs(target, id);
  draft.raw.push(accessor.index);
  if (draft.accessors.length > 0) return target.kind(at) === BTF_KIND_ARRAY ? stepInto(target, draft, target.type(at) as BtfArray, accessor.index) : undefined;
  const size = sizeOf(target, at);
  if (size === undefined) return undefined;
  draft.accessors.push({ typeId: at, index: accessor.index, name: undefined });
  draft.bitOffset += accessor.index * size * 8;
  return at;
}

/** Looks for the local member's name, through anonymous members; the first of that name decides. Returns the member's type. */
function matchMember(local: Btf, accessor: CoreAccessor, target: Btf, id: number, draft: Draft, seen: Set<number>): number | undefined {
  const at = skipModsAndTypedefs(target, id);
  const localMember = (local.type(accessor.typeId) as BtfComposite).members[accessor.index];
  if (!isComposite(target, at) || seen.has(at) || localMember === undefined) return undefined;
  seen.add(at);
  const { members } = target.type(at) as BtfComposite;
  for (const [index, member] of members.entries()) {
    if (member.name !== '' && member.name !== localMember.name) continue;
    draft.bitOffset += member.bitOffset;
    draft.raw.push(index);
    if (member.name === '') {
      const found = matchMember(local, accessor, target, member.type, draft, seen);
      if (found !== undefined) return found;
    } else {
      if (!fieldsAreCompat(local, localMember.type, target, member.type)) return rewind(draft, member.bitOffset);
      draft.accessors.push({ typeId: at, index, name: member.name });
      return member.type;
    }
    rewind(draft, member.bitOffset);
  }
  return undefined;
}

function rewind(draft: Draft, bitOffset: number): undefined {
  draft.bitOffset -= bitOffset;
  draft.raw.pop();
}

/** `<byte_off> [7] struct sk_buff.len (0:1 @ offset 4)`: as libbpf prints it. */
export function formatSpec(spec: CoreSpec): string {
  const { btf, kind, rootTypeId } = spec;
  const kindName = BTF_KINDS[btf.kind(rootTypeId)]?.name.toLowerCase() ?? '?';
  const head = `<${BPF_CORE_RELO_KINDS[kind] ?? 'unknown'}> [${rootTypeId}] ${kindName} ${btf.name(rootTypeId) || '<anon>'}`;
  if (isTypeBased(kind)) return head;
  if (isEnumBased(kind)) {
    const accessor = spec.accessors[0];
    const value = accessor === undefined ? undefined : (btf.type(accessor.typeId) as BtfEnum).values[accessor.index];
    return `${head}::${value?.name ?? '?'} = ${value?.value ?? '?'}`;
  }
  const path = spec.accessors.map((a, i) => (a.name !== undefined ? `.${a.name}` : i > 0 || a.index > 0 ? `[${a.index}]` : '')).join('');
  const bit = spec.bitOffset % 8 === 0 ? '' : `.${spec.bitOffset % 8}`;
  return `${head}${path} (${spec.raw.join(':')} @ offset ${Math.floor(spec.bitOffset / 8)}${bit})`;
}
