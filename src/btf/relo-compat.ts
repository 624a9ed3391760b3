// When a local and a target type count as the same for CO-RE: for a field (loose), for a type's existence (shape), for a match (strict).
// Semantics as libbpf 1.x (relo_core.c: bpf_core_fields_are_compat, __bpf_core_types_are_compat, __bpf_core_types_match).
// Invariant: each question is bounded by a budget of steps; BTF that exhausts it does not match, where libbpf gives -EINVAL.

import {
  BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC_PROTO, BTF_KIND_FWD, BTF_KIND_INT, BTF_KIND_PTR,
  BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_UNKN, BTF_MAX_RESOLVE_DEPTH,
} from '../spec/btf.ts';
import type { Btf } from './btf.ts';
import { essentialName } from './name-index.ts';
import type { BtfArray, BtfComposite, BtfEnum, BtfFuncProto, BtfFwd, BtfInt, BtfReference, BtfType } from './types.ts';
import { isComposite, isEnum, skipModsAndTypedefs } from './walk.ts';

/** The two sides, and the steps that are left. */
interface Pair { readonly local: Btf; readonly target: Btf; steps: number }

const STEPS_MAX = 20_000;

/** Takes one step; false when none is left. */
function spend(p: Pair): boolean {
  p.steps--;
  return p.steps >= 0;
}

const pair = (local: Btf, target: Btf): Pair => ({ local, target, steps: STEPS_MAX });

/** Same kind, where ENUM and ENUM64 count as one. */
export const kindsAreCompat = (local: Btf, localId: number, target: Btf, targetId: number): boolean =>
  local.kind(localId) === target.kind(targetId) || (isEnum(local, localId) && isEnum(target, targetId));

/** True when a field of one type may be relocated to a field of the other: sizes, signs and array lengths may differ. */
export function fieldsAreCompat(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  let [l, t] = [localId, targetId];
  for (let depth = 0; depth < BTF_MAX_RESOLVE_DEPTH; depth++) {
    [l, t] = [skipModsAndTypedefs(local, l), skipModsAndTypedefs(target, t)];
    if (isComposite(local, l) && isComposite(target, t)) return true;
    if (!kindsAreCompat(local, l, target, t)) return false;
    const kind = local.kind(l);
    if (kind !== BTF_KIND_ARRAY) return scalarsAreCompat(kind, local.type(l), target.type(t));
    [l, t] = [(local.type(l) as BtfArray).type, (target.type(t) as BtfArray).type];
  }
  return false;
}

function scalarsAreCompat(kind: number, local: BtfType, target: BtfType): boolean {
  if (kind === BTF_KIND_PTR || kind === BTF_KIND_FLOAT) return true;
  // Integers with a bit offset are the old form of bitfields, which CO-RE never relocates.
  if (kind === BTF_KIND_INT) return (local as BtfInt).offset === 0 && (target as BtfInt).offset === 0;
  if (kind !== BTF_KIND_FWD && kind !== BTF_KIND_ENUM && kind !== BTF_KIND_ENUM64) return false;
  const [a, b] = [essentialName(local.name), essentialName(target.name)];
  return a === '' || b === '' || a === b;
}

/** True when two types of the same essential name have the same shape: kinds all the way down, but not members. */
export function typesAreCompat(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return shapesAgree(pair(local, target), localId, targetId, 0);
}

function shapesAgree(p: Pair, localId: number, targetId: number, level: number): boolean {
  const { local, target } = p;
  if (level > BTF_MAX_RESOLVE_DEPTH || !kindsAreCompat(local, localId, target, targetId)) return false;
  let [l, t] = [localId, targetId];
  for (let depth = 0; depth < BTF_MAX_RESOLVE_DEPTH && spend(p); depth++) {
    [l, t] = [skipModsAndTypedefs(local, l), skipModsAndTypedefs(target, t)];
    if (!kindsAreCompat(local, l, target, t)) return false;
    const [a, b] = [local.type(l), target.type(t)];
    switch (a.kind) {
      case BTF_KIND_UNKN: case BTF_KIND_STRUCT: case BTF_KIND_UNION: case BTF_KIND_ENUM: case BTF_KIND_ENUM64: case BTF_KIND_FWD: return true;
      case BTF_KIND_INT: return a.offset === 0 && (b as BtfInt).offset === 0;
      case BTF_KIND_PTR: case BTF_KIND_ARRAY: case BTF_KIND_FUNC_PROTO:
        if (a.kind === BTF_KIND_FUNC_PROTO && !paramsAgree(p, a, b as BtfFuncProto, level)) return false;
        [l, t] = [a.type, (b as BtfReference | BtfArray | BtfFuncProto).type];
        break;
      default: return false;
    }
  }
  return false;
}

function paramsAgree(p: Pair, local: BtfFuncProto, target: BtfFuncProto, level: number): boolean {
  if (local.params.length !== target.params.length) return false;
  return local.params.every((param, i) => {
    const [l, t] = [skipModsAndTypedefs(p.local, param.type), skipModsAndTypedefs(p.target, target.params[i]?.type ?? 0)];
    return shapesAgree(p, l, t, level + 1);
  });
}

function namesMatch(local: string, target: string): boolean {
  return target === '' ? local === '' : essentialName(local) === essentialName(target);
}

/** True when the target has everything that the local type names, with equal integer sizes and signs (bpf_core_type_matches). */
export function typesMatch(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return matchTypes(pair(local, target), localId, targetId, false, BTF_MAX_RESOLVE_DEPTH);
}

function matchTypes(p: Pair, localId: number, targetId: number, behindPointer: boolean, level: number): boolean {
  if (level <= 0) return false;
  let [l, t, behind] = [localId, targetId, behindPointer];
  for (let depth = 0; depth < BTF_MAX_RESOLVE_DEPTH && spend(p); depth++) {
    [l, t] = [skipModsAndTypedefs(p.local, l), skipModsAndTypedefs(p.target, t)];
    const [a, b] = [p.local.type(l), p.target.type(t)];
    if (!namesMatch(a.name, b.name)) return false;
    switch (a.kind) {
      case BTF_KIND_UNKN: return b.kind === BTF_KIND_UNKN;
      case BTF_KIND_FWD: return matchFwd(a, b, behind);
      case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return isEnum(p.target, t) && matchEnums(a, b as BtfEnum);
      case BTF_KIND_STRUCT: case BTF_KIND_UNION: return matchComposites(p, a, b, behind, level);
      case BTF_KIND_INT: return b.kind === BTF_KIND_INT && a.size === b.size && (a.encoding & BTF_INT_SIGNED) === (b.encoding & BTF_INT_SIGNED);
      case BTF_KIND_PTR: case BTF_KIND_ARRAY: case BTF_KIND_FUNC_PROTO:
        if (b.kind !== a.kind) return false;
        if (a.kind === BTF_KIND_ARRAY && a.nelems !== (b as BtfArray).nelems) return false;
        if (a.kind === BTF_KIND_FUNC_PROTO && !matchParams(p, a, b as BtfFuncProto, behind, level)) return false;
        if (a.kind === BTF_KIND_PTR) behind = true;
        [l, t] = [a.type, (b as BtfReference | BtfArray | BtfFuncProto).type];
        break;
      default: return false;
    }
  }
  return false;
}

/** Behind a pointer, a declaration stands for a definition of its kind; elsewhere only for another declaration. */
function matchFwd(local: BtfFwd, target: BtfType, behindPointer: boolean): boolean {
  if (target.kind === BTF_KIND_FWD) return local.isUnion === target.isUnion;
  return behindPointer && target.kind === (local.isUnion ? BTF_KIND_UNION : BTF_KIND_STRUCT);
}

function matchEnums(local: BtfEnum, target: BtfEnum): boolean {
  if (local.size !== target.size || local.values.length > target.values.length) return false;
  return local.values.every((v) => target.values.some((w) => namesMatch(v.name, w.name)));
}

function matchComposites(p: Pair, local: BtfComposite, target: BtfType, behindPointer: boolean, level: number): boolean {
  if (behindPointer && target.kind === BTF_KIND_FWD) return target.isUnion === (local.kind === BTF_KIND_UNION);
  if (target.kind !== local.kind) return false;
  if (behindPointer) return true;
  const other = target as BtfComposite;
  if (local.members.length > other.members.length) return false;
  return local.members.every((m) => other.members.some((n) => namesMatch(m.name, n.name) && matchTypes(p, m.type, n.type, behindPointer, level - 1)));
}

function matchParams(p: Pair, local: BtfFuncProto, target: BtfFuncProto, behindPointer: boolean, level: number): boolean {
  if (local.params.length !== target.params.length) return false;
  return local.params.every((param, i) => matchTypes(p, param.type, target.params[i]?.type ?? 0, behindPointer, level - 1));
}
