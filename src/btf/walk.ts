// Questions about types: what is behind typedefs and modifiers, how large, how aligned, where a member lies.
// Invariant: every walk is bounded (BTF_MAX_RESOLVE_DEPTH), so that a cyclic BTF ends in `undefined`, never in a hang.
// Source: Documentation/bpf/btf.rst; libbpf's btf.c for what counts as a modifier.

import {
  BTF_KIND_ARRAY, BTF_KIND_CONST, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_INT, BTF_KIND_PTR,
  BTF_KIND_RESTRICT, BTF_KIND_STRUCT, BTF_KIND_TYPE_TAG, BTF_KIND_TYPEDEF, BTF_KIND_UNION, BTF_KIND_VAR, BTF_KIND_VOLATILE, BTF_MAX_RESOLVE_DEPTH,
} from '../spec/btf.ts';
import type { Btf } from './btf.ts';
import type { BtfArray, BtfComposite, BtfMember } from './types.ts';

const bits = (...kinds: number[]): number => kinds.reduce((set, kind) => set | (1 << kind), 0);
const MODIFIERS = bits(BTF_KIND_CONST, BTF_KIND_VOLATILE, BTF_KIND_RESTRICT, BTF_KIND_TYPE_TAG);
const SKIPPED = MODIFIERS | bits(BTF_KIND_TYPEDEF);
const SIZED = bits(BTF_KIND_INT, BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_DATASEC, BTF_KIND_FLOAT);
const TRANSPARENT = SKIPPED | bits(BTF_KIND_VAR, BTF_KIND_DECL_TAG);

const inSet = (set: number, kind: number): boolean => ((set >> kind) & 1) === 1;

/** True for const, volatile, restrict and type tags. */
export const isModifier = (btf: Btf, id: number): boolean => inSet(MODIFIERS, btf.kind(id));

/** True for structs and unions. */
export const isComposite = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND_STRUCT || btf.kind(id) === BTF_KIND_UNION;

/** True for ENUM and ENUM64. */
export const isEnum = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND_ENUM || btf.kind(id) === BTF_KIND_ENUM64;

/** The id behind const, volatile, restrict, type tags and typedefs. A chain that is too long or cyclic gives 0 (void). */
export function skipModsAndTypedefs(btf: Btf, id: number): number {
  let at = id;
  for (let depth = 0; depth <= BTF_MAX_RESOLVE_DEPTH; depth++) {
    if (!inSet(SKIPPED, btf.kind(at))) return at;
    at = btf.sizeOrType(at);
  }
  return 0;
}

/** The id behind const, volatile, restrict and type tags, typedefs kept. */
export function skipMods(btf: Btf, id: number): number {
  let at = id;
  for (let depth = 0; depth <= BTF_MAX_RESOLVE_DEPTH; depth++) {
    if (!inSet(MODIFIERS, btf.kind(at))) return at;
    at = btf.sizeOrType(at);
  }
  return 0;
}

/** Size of a type in bytes (pointers have 8); undefined for void, functions, forward declarations, cyclic types and sizes of 2^31 and more. */
export function sizeOf(btf: Btf, id: number): number | undefined {
  let count = 1;
  let at = id;
  for (let depth = 0; depth <= BTF_MAX_RESOLVE_DEPTH; depth++) {
    const kind = btf.kind(at);
    if (inSet(SIZED, kind)) return bounded(count * btf.sizeOrType(at));
    if (kind === BTF_KIND_PTR) return bounded(count * 8);
    if (kind === BTF_KIND_ARRAY) {
      const array = btf.type(at) as BtfArray;
      count *= array.nelems;
      at = array.type;
    } else if (inSet(TRANSPARENT, kind)) {
      at = btf.sizeOrType(at);
    } else {
      return undefined;
    }
  }
  return undefined;
}

const bounded = (size: number): number | undefined => (size < 0x8000_0000 ? size : undefined);

/** Natural alignment of a type in bytes (1 to 8); 1 where nothing is known. */
export function alignOf(btf: Btf, id: number): number {
  return alignWalk(btf, id, new Set());
}

/** Each composite is looked into once: enough for a maximum, and it ends on cyclic types. */
function alignWalk(btf: Btf, id: number, seen: Set<number>): number {
  let at = skipModsAndTypedefs(btf, id);
  for (let depth = 0; btf.kind(at) === BTF_KIND_ARRAY && depth < BTF_MAX_RESOLVE_DEPTH; depth++) at = skipModsAndTypedefs(btf, (btf.type(at) as BtfArray).type);
  const kind = btf.kind(at);
  if (kind === BTF_KIND_PTR) return 8;
  if (kind === BTF_KIND_INT || kind === BTF_KIND_ENUM || kind === BTF_KIND_ENUM64 || kind === BTF_KIND_FLOAT) return Math.min(8, Math.max(1, btf.sizeOrType(at)));
  if (!isComposite(btf, at) || seen.has(at)) return 1;
  seen.add(at);
  return (btf.type(at) as BtfComposite).members.reduce((align, m) => Math.max(align, alignWalk(btf, m.type, seen)), 1);
}

/** A member found by name: `bitOffset` is from the start of the outermost struct, anonymous members are looked through. */
export interface FoundMember { readonly member: BtfMember; readonly bitOffset: number; readonly owner: number }

/** The member `name` of struct or union `id` (typedefs skipped), looked for in anonymous members too; undefined when there is none. */
export function findMember(btf: Btf, id: number, name: string): FoundMember | undefined {
  return memberWalk(btf, id, name, new Set());
}

/** A composite that was searched in vain is not searched again, which bounds the walk on cyclic types. */
function memberWalk(btf: Btf, id: number, name: string, seen: Set<number>): FoundMember | undefined {
  const at = skipModsAndTypedefs(btf, id);
  if (!isComposite(btf, at) || seen.has(at)) return undefined;
  seen.add(at);
  for (const member of (btf.type(at) as BtfComposite).members) {
    if (member.name === name) return { member, bitOffset: member.bitOffset, owner: at };
    if (member.name !== '') continue;
    const inner = memberWalk(btf, member.type, name, seen);
    if (inner !== undefined) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
  }
  return undefined;
}
