// A decoded BTF type: one interface per kind, told apart by `kind` (BTF_KIND_*).
// Invariant: ids refer to the Btf that the type came from; 0 is void. Source: Documentation/bpf/btf.rst.

import type {
  BTF_KIND_ARRAY, BTF_KIND_CONST, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO, BTF_KIND_FWD, BTF_KIND_INT, BTF_KIND_PTR, BTF_KIND_RESTRICT, BTF_KIND_STRUCT, BTF_KIND_TYPE_TAG, BTF_KIND_TYPEDEF,
  BTF_KIND_UNION, BTF_KIND_UNKN, BTF_KIND_VAR, BTF_KIND_VOLATILE,
} from '../spec/btf.ts';

/** void, type id 0. */
export interface BtfVoid { readonly kind: typeof BTF_KIND_UNKN; readonly name: '' }
/** An integer of `size` bytes, of which `bits` bits from bit `offset` count; `encoding` is BTF_INT_* bits. */
export interface BtfInt { readonly kind: typeof BTF_KIND_INT; readonly name: string; readonly size: number; readonly bits: number; readonly offset: number; readonly encoding: number }
/** Pointers, typedefs and modifiers; `name` is empty except for typedefs and type tags. */
export interface BtfReference {
  readonly kind: typeof BTF_KIND_PTR | typeof BTF_KIND_TYPEDEF | typeof BTF_KIND_VOLATILE | typeof BTF_KIND_CONST | typeof BTF_KIND_RESTRICT | typeof BTF_KIND_TYPE_TAG;
  readonly name: string;
  readonly type: number;
  /** Type tags only: an attribute rather than a btf_type_tag (Linux 6.15). */
  readonly kflag?: boolean;
}
/** `type name[nelems]`. */
export interface BtfArray { readonly kind: typeof BTF_KIND_ARRAY; readonly name: ''; readonly type: number; readonly indexType: number; readonly nelems: number }
/** A member; `bitSize` is 0 for what is not a bitfield. */
export interface BtfMember { readonly name: string; readonly type: number; readonly bitOffset: number; readonly bitSize: number }
/** A struct or union of `size` bytes. */
export interface BtfComposite {
  readonly kind: typeof BTF_KIND_STRUCT | typeof BTF_KIND_UNION;
  readonly name: string;
  readonly size: number;
  /** Member offsets carry bitfield sizes. */
  readonly kflag: boolean;
  readonly members: readonly BtfMember[];
}
/** An enumerator; negative where the enum is signed. */
export interface BtfEnumerator { readonly name: string; readonly value: bigint }
/** An enum of `size` bytes (1, 2, 4 or 8). */
export interface BtfEnum { readonly kind: typeof BTF_KIND_ENUM | typeof BTF_KIND_ENUM64; readonly name: string; readonly size: number; readonly signed: boolean; readonly values: readonly BtfEnumerator[] }
/** A struct or union that is only declared. */
export interface BtfFwd { readonly kind: typeof BTF_KIND_FWD; readonly name: string; readonly isUnion: boolean }
/** A function: `type` is its FUNC_PROTO, `linkage` BTF_FUNC_*. */
export interface BtfFunc { readonly kind: typeof BTF_KIND_FUNC; readonly name: string; readonly type: number; readonly linkage: number }
/** A parameter; the last one of type 0 means `...`. */
export interface BtfParam { readonly name: string; readonly type: number }
/** A function type; `type` is what it returns. */
export interface BtfFuncProto { readonly kind: typeof BTF_KIND_FUNC_PROTO; readonly name: ''; readonly type: number; readonly params: readonly BtfParam[] }
/** A global variable; `linkage` BTF_VAR_*. */
export interface BtfVar { readonly kind: typeof BTF_KIND_VAR; readonly name: string; readonly type: number; readonly linkage: number }
/** A variable (or extern function) in a section: `offset` and `size` in bytes. */
export interface BtfVarSecinfo { readonly type: number; readonly offset: number; readonly size: number }
/** A section of `size` bytes (0 as compilers write it). */
export interface BtfDatasec { readonly kind: typeof BTF_KIND_DATASEC; readonly name: string; readonly size: number; readonly vars: readonly BtfVarSecinfo[] }
/** A floating-point number of `size` bytes. */
export interface BtfFloat { readonly kind: typeof BTF_KIND_FLOAT; readonly name: string; readonly size: number }
/** `__attribute__((btf_decl_tag("name")))` on `type`, or on its member or parameter `componentIdx` (-1: on the whole). */
export interface BtfDeclTag { readonly kind: typeof BTF_KIND_DECL_TAG; readonly name: string; readonly type: number; readonly componentIdx: number; readonly kflag?: boolean }

/** Any BTF type. */
export type BtfType = BtfVoid | BtfInt | BtfReference | BtfArray | BtfComposite | BtfEnum | BtfFwd | BtfFunc | BtfFuncProto | BtfVar | BtfDatasec | BtfFloat | BtfDeclTag;
