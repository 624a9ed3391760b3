// CO-RE: what a relocation's value is on the target kernel, decided over all candidate types of the same essential name.
// Invariant: all matching candidates must agree on offset and value, else LoadError; no match gives `poison` (or 0 for the "exists" kinds).
// Semantics as libbpf 1.x (relo_core.c: bpf_core_calc_relo_insn). Patching the instruction is the loader's (loader/core.ts).

import {
  BPF_CORE_ENUMVAL_EXISTS, BPF_CORE_FIELD_BYTE_OFFSET, BPF_CORE_FIELD_BYTE_SIZE, BPF_CORE_FIELD_EXISTS, BPF_CORE_FIELD_LSHIFT_U64, BPF_CORE_FIELD_RSHIFT_U64,
  BPF_CORE_FIELD_SIGNED, BPF_CORE_RELO_KINDS, BPF_CORE_TYPE_ID_LOCAL, BPF_CORE_TYPE_ID_TARGET, BPF_CORE_TYPE_SIZE, BTF_INT_SIGNED, BTF_KIND_ARRAY, BTF_KIND_ENUM,
  BTF_KIND_INT, BTF_KIND_PTR, BTF_MAX_RESOLVE_DEPTH,
} from '../spec/btf.ts';
import { LoadError } from '../util/errors.ts';
import type { Btf } from './btf.ts';
import type { CoreRelo } from './ext.ts';
import { essentialName } from './name-index.ts';
import { kindsAreCompat } from './relo-compat.ts';
import { formatSpec, isEnumBased, isFieldBased, isTypeBased, matchSpec, parseSpec, type CoreAccessor, type CoreSpec } from './relo-spec.ts';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt } from './types.ts';
import { isEnum, sizeOf, skipModsAndTypedefs } from './walk.ts';

/** What to do with the instruction. Values are u64; sizes in bytes, 0 where they don't matter. */
export interface CoreResult {
  /** No target: the instruction becomes a call of helper 195896080. */
  readonly poison: boolean;
  /** The instruction must hold `origVal` before it is patched. */
  readonly validate: boolean;
  readonly origVal: bigint;
  readonly newVal: bigint;
  readonly origSize: number;
  readonly newSize: number;
  /** A load or store whose width can't be adjusted: poison it. */
  readonly failMemszAdjust: boolean;
  /** The local path as libbpf prints it, for messages. */
  readonly spec: string;
}

/** One side's value; `size` and `typeId` of the accessed field for BYTE_OFFSET; undefined stands for "poison". */
interface Side { readonly value: bigint; readonly validate: boolean; readonly size: number; readonly typeId: number }

const side = (value: number | bigint, validate = true): Side => ({ value: BigInt(value), validate, size: 0, typeId: 0 });

/** Relocates the instructions of one object against one target BTF; remembers candidates per root type, as libbpf does. */
export class CoreRelocator {
  readonly #local: Btf;
  readonly #target: Btf | undefined;
  readonly #candidates = new Map<number, number[]>();

  /** Without `target` only local type ids resolve. */
  constructor(local: Btf, target: Btf | undefined) {
    this.#local = local;
    this.#target = target;
  }

  /** The value of one relocation. Throws LoadError when it is malformed, ambiguous, or there is no target BTF. */
  resolve(relo: CoreRelo): CoreResult {
    const spec = parseSpec(this.#local, relo);
    if (BPF_CORE_RELO_KINDS[relo.kind] === undefined) throw new LoadError(`CO-RE relocation of unknown kind ${relo.kind}`);
    if (spec === undefined) throw new LoadError(`CO-RE relocation: access string '${relo.accessStr}' does not fit type [${relo.typeId}] ${this.#local.name(relo.typeId) || '<anon>'}`);
    const text = formatSpec(spec);
    if (relo.kind === BPF_CORE_TYPE_ID_LOCAL) {
      const id = BigInt(relo.typeId);
      return { poison: false, validate: false, origVal: id, newVal: id, origSize: 0, newSize: 0, failMemszAdjust: false, spec: text };
    }
    if (this.#local.name(relo.typeId) === '') throw new LoadError(`CO-RE relocation ${text}: anonymous types can't be relocated`);
    if (this.#target === undefined) throw new LoadError(`CO-RE relocation ${text}: needs the kernel's BTF (--btf FILE)`);
    return this.#overCandidates(relo, spec, this.#target, text);
  }

  #overCandidates(relo: CoreRelo, local: CoreSpec, target: Btf, text: string): CoreResult {
    const matching: number[] = [];
    let result: CoreResult | undefined;
    let bitOffset = 0;
    for (const id of this.#candidatesOf(relo.typeId, target)) {
      const found = matchSpec(local, target, id);
      if (found === undefined) continue;
      matching.push(id);
      const candidate = calcRelo(local, found, text);
      if (result === undefined) [result, bitOffset] = [candidate, found.bitOffset];
      else checkAgreement(result, candidate, bitOffset, found.bitOffset, text);
    }
    // As libbpf: candidates that once did not match are not asked again for this type, unless none matched.
    if (matching.length > 0) this.#candidates.set(relo.typeId, matching);
    return result ?? calcRelo(local, undefined, text);
  }

  #candidatesOf(localId: number, target: Btf): readonly number[] {
    let ids = this.#candidates.get(localId);
    if (ids === undefined) {
      ids = target.idsByEssentialName(essentialName(this.#local.name(localId))).filter((id) => kindsAreCompat(this.#local, localId, target, id));
      this.#candidates.set(localId, ids);
    }
    return ids;
  }
}

function checkAgreement(first: CoreResult, other: CoreResult, firstBits: number, otherBits: number, text: string): void {
  if (firstBits !== otherBits) throw new LoadError(`CO-RE relocation ${text}: field offset ambiguity: ${otherBits} != ${firstBits}`);
  if (first.poison === other.poison && first.newVal === other.newVal) return;
  const say = (r: CoreResult): string => `${r.poison ? 'failure' : 'success'} ${r.newVal}`;
  throw new LoadError(`CO-RE relocation ${text}: relocation decision ambiguity: ${say(other)} != ${say(first)}`);
}

function calcRelo(local: CoreSpec, target: CoreSpec | undefined, text: string): CoreResult {
  const from = calcSide(local, local.kind, text);
  const to = calcSide(target, local.kind, text);
  const base = { validate: from?.validate ?? true, origVal: from?.value ?? 0n, origSize: from?.size ?? 0, spec: text };
  if (from === undefined || to === undefined) return { ...base, poison: true, newVal: 0n, newSize: 0, failMemszAdjust: false };
  const failMemszAdjust = target !== undefined && from.size !== to.size && !canAdjustWidth(local.btf, from.typeId, target.btf, to.typeId);
  return { ...base, poison: false, newVal: BigInt.asUintN(64, to.value), newSize: to.size, failMemszAdjust };
}

/** Zero-extension keeps the value only of pointers and of unsigned integers. */
function canAdjustWidth(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  const [a, b] = [local.type(localId), target.type(targetId)];
  if (a.kind === BTF_KIND_PTR && b.kind === BTF_KIND_PTR) return true;
  return a.kind === BTF_KIND_INT && b.kind === BTF_KIND_INT && a.encoding !== BTF_INT_SIGNED && b.encoding !== BTF_INT_SIGNED;
}

function calcSide(spec: CoreSpec | undefined, kind: number, text: string): Side | undefined {
  if (isFieldBased(kind)) return fieldSide(spec, kind, text);
  if (isTypeBased(kind)) return typeSide(spec, kind, text);
  if (isEnumBased(kind)) return enumSide(spec, kind);
  throw new LoadError(`CO-RE relocation ${text}: unknown kind ${kind}`);
}

function typeSide(spec: CoreSpec | undefined, kind: number, text: string): Side {
  if (spec === undefined) return side(0);
  if (kind === BPF_CORE_TYPE_ID_TARGET) return side(spec.rootTypeId, false);
  return side(kind === BPF_CORE_TYPE_SIZE ? sizeOrFail(spec.btf, spec.rootTypeId, text) : 1);
}

function enumSide(spec: CoreSpec | undefined, kind: number): Side | undefined {
  if (kind === BPF_CORE_ENUMVAL_EXISTS) return side(spec === undefined ? 0 : 1);
  const accessor = spec?.accessors[0];
  if (spec === undefined || accessor === undefined) return undefined;
  const type = spec.btf.type(accessor.typeId) as BtfEnum;
  const value = type.values[accessor.index]?.value ?? 0n;
  // A 32-bit enumerator is sign-extended whatever the enum's sign, as libbpf reads it.
  return side(BigInt.asUintN(64, type.kind === BTF_KIND_ENUM ? BigInt.asIntN(32, value) : value));
}

function sizeOrFail(btf: Btf, id: number, text: string): number {
  const size = sizeOf(btf, id);
  if (size === undefined) throw new LoadError(`CO-RE relocation ${text}: type [${id}] has no size`);
  return size;
}

function fieldSide(spec: CoreSpec | undefined, kind: number, text: string): Side | undefined {
  if (kind === BPF_CORE_FIELD_EXISTS) return side(spec === undefined ? 0 : 1);
  const last = spec?.accessors.at(-1);
  if (spec === undefined || last === undefined) return undefined;
  return last.name === undefined ? elementSide(spec, last, kind, text) : memberSide(spec, last, kind, text);
}

function elementSide(spec: CoreSpec, last: CoreAccessor, kind: number, text: string): Side {
  const size = sizeOrFail(spec.btf, last.typeId, text);
  if (kind === BPF_CORE_FIELD_BYTE_OFFSET) return { value: BigInt(Math.floor(spec.bitOffset / 8)), validate: true, size, typeId: last.typeId };
  if (kind === BPF_CORE_FIELD_BYTE_SIZE) return side(size);
  throw new LoadError(`CO-RE relocation ${text}: can't be applied to array access`);
}

/** Where a field is read: `byteOff` and `byteSize` of the load, `bitSize` of the field. */
interface FieldPlace { readonly byteOff: number; readonly byteSize: number; readonly bitSize: number }

/** The smallest naturally aligned load (starting from the declared type's size) that covers a bitfield. */
function bitfieldPlace(bitOffset: number, bitSize: number, declaredSize: number, text: string): FieldPlace {
  let byteSize = Math.max(1, declaredSize);
  const aligned = (): number => Math.floor(Math.floor(bitOffset / 8) / byteSize) * byteSize;
  while (bitOffset + bitSize - aligned() * 8 > byteSize * 8) {
    if (byteSize >= 8) throw new LoadError(`CO-RE relocation ${text}: can't be satisfied for bitfield`);
    byteSize *= 2;
  }
  return { byteOff: aligned(), byteSize, bitSize };
}

/** The type that one load reads: the element of (nested) arrays. */
function loadedType(btf: Btf, id: number): number {
  let at = skipModsAndTypedefs(btf, id);
  for (let depth = 0; depth < BTF_MAX_RESOLVE_DEPTH && btf.kind(at) === BTF_KIND_ARRAY; depth++) at = skipModsAndTypedefs(btf, (btf.type(at) as BtfArray).type);
  return at;
}

function memberSide(spec: CoreSpec, last: CoreAccessor, kind: number, text: string): Side | undefined {
  const { btf, bitOffset } = spec;
  const member = (btf.type(last.typeId) as BtfComposite).members[last.index];
  if (member === undefined) return undefined;
  const fieldId = skipModsAndTypedefs(btf, member.type);
  const bitfield = member.bitSize > 0;
  const size = sizeOrFail(btf, fieldId, text);
  const place = bitfield ? bitfieldPlace(bitOffset, member.bitSize, size, text) : { byteOff: Math.floor(bitOffset / 8), byteSize: size, bitSize: size * 8 };
  // The compiler may read a bitfield otherwise than we would, so only sign and right shift are checked there.
  switch (kind) {
    case BPF_CORE_FIELD_BYTE_OFFSET: {
      const element = loadedType(btf, fieldId);
      return { value: BigInt(place.byteOff), validate: !bitfield, size: bitfield ? 0 : (sizeOf(btf, element) ?? 0), typeId: bitfield ? 0 : element };
    }
    case BPF_CORE_FIELD_BYTE_SIZE: return side(place.byteSize, !bitfield);
    case BPF_CORE_FIELD_SIGNED: return side(isSigned(btf, fieldId) ? 1 : 0);
    case BPF_CORE_FIELD_LSHIFT_U64: return side(64 - (bitOffset + place.bitSize - place.byteOff * 8), !bitfield);
    case BPF_CORE_FIELD_RSHIFT_U64: return side(64 - place.bitSize);
    default: return undefined;
  }
}

function isSigned(btf: Btf, id: number): boolean {
  if (isEnum(btf, id)) return btf.kflag(id);
  return btf.kind(id) === BTF_KIND_INT && ((btf.type(id) as BtfInt).encoding & BTF_INT_SIGNED) !== 0;
}
