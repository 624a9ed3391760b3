// Prints types as C: `struct flow *`, `char[16]`, `int (*)(void *, ...)`, and whole definitions with offsets, for diagnostics and dumps.
// Invariant: printing never fails and always ends; what can't be said (cycles, too deep) is printed as `...`.

import {
  BTF_FUNC_EXTERN, BTF_FUNC_STATIC, BTF_KIND_ARRAY, BTF_KIND_CONST, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD, BTF_KIND_PTR, BTF_KIND_RESTRICT, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_TYPE_TAG, BTF_KIND_UNION, BTF_KIND_UNKN, BTF_KIND_VAR,
  BTF_KIND_VOLATILE, BTF_MAX_RESOLVE_DEPTH,
} from '../spec/btf.ts';
import type { Btf } from './btf.ts';
import type { BtfComposite, BtfEnum, BtfFuncProto, BtfType } from './types.ts';

const TOO_DEEP = '...';

const words = (...parts: string[]): string => parts.filter((part) => part !== '').join(' ');

function tagged(keyword: string, name: string): string {
  return name === '' ? `${keyword} {...}` : `${keyword} ${name}`;
}

/** The type without declarator, for the kinds that end a declarator chain. */
function baseName(type: BtfType): string {
  switch (type.kind) {
    case BTF_KIND_UNKN: return 'void';
    case BTF_KIND_STRUCT: return tagged('struct', type.name);
    case BTF_KIND_UNION: return tagged('union', type.name);
    case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return tagged('enum', type.name);
    case BTF_KIND_FWD: return tagged(type.isUnion ? 'union' : 'struct', type.name);
    default: return type.name;
  }
}

const QUALIFIERS: ReadonlyMap<number, string> = new Map([[BTF_KIND_CONST, 'const'], [BTF_KIND_VOLATILE, 'volatile'], [BTF_KIND_RESTRICT, 'restrict']]);

/** What a print may still cost: types visited and depth, so that cyclic or hostile BTF ends soon. */
interface Printer { readonly btf: Btf; left: number }

const NODES_MAX = 4000;

function paramList(p: Printer, proto: BtfFuncProto, depth: number): string {
  if (proto.params.length === 0) return 'void';
  const last = proto.params.length - 1;
  return proto.params.map((param, i) => (i === last && param.type === 0 && param.name === '' ? '...' : declare(p, param.type, param.name, depth + 1))).join(', ');
}

/** Binds an array or function suffix tighter than a pointer: `(*name)[4]`. */
const bound = (declarator: string): string => (/^[*]|^(const|volatile|restrict) /.test(declarator) ? `(${declarator})` : declarator);

/** The declaration of `declarator` (a name, or '' for the type alone) with type `id`. */
function declare(p: Printer, id: number, declarator: string, depth: number): string {
  if (depth > BTF_MAX_RESOLVE_DEPTH || p.left-- <= 0) return words(TOO_DEEP, declarator);
  const type = p.btf.type(id);
  switch (type.kind) {
    case BTF_KIND_PTR: return declare(p, type.type, `*${declarator}`, depth + 1);
    case BTF_KIND_ARRAY: return declare(p, type.type, `${bound(declarator)}[${type.nelems}]`, depth + 1);
    case BTF_KIND_FUNC_PROTO: return declare(p, type.type, `${bound(declarator)}(${paramList(p, type, depth)})`, depth + 1);
    case BTF_KIND_FUNC: case BTF_KIND_VAR: return words(linkageWord(type), declare(p, type.type, words(type.name, declarator), depth + 1));
    case BTF_KIND_TYPE_TAG: case BTF_KIND_DECL_TAG: return declare(p, type.type, declarator, depth + 1);
    case BTF_KIND_CONST: case BTF_KIND_VOLATILE: case BTF_KIND_RESTRICT: return qualified(p, QUALIFIERS.get(type.kind) ?? '', type.type, declarator, depth);
    default: return declarator === '' || declarator.startsWith('[') ? `${baseName(type)}${declarator}` : `${baseName(type)} ${declarator}`;
  }
}

function qualified(p: Printer, qualifier: string, id: number, declarator: string, depth: number): string {
  if (p.btf.kind(id) === BTF_KIND_PTR) return declare(p, id, words(qualifier, declarator), depth + 1);
  return `${qualifier} ${declare(p, id, declarator, depth + 1)}`;
}

function linkageWord(type: BtfType): string {
  if (type.kind === BTF_KIND_FUNC) return type.linkage === BTF_FUNC_STATIC ? 'static' : type.linkage === BTF_FUNC_EXTERN ? 'extern' : '';
  if (type.kind === BTF_KIND_VAR) return ['static', '', 'extern'][type.linkage] ?? '';
  return '';
}

/** A type as C writes it: `const struct flow_key *`, `unsigned char[6]`; with `name`, as the declaration of that name. */
export function formatType(btf: Btf, id: number, name = ''): string {
  return btf.has(id) ? declare({ btf, left: NODES_MAX }, id, name, 0) : `<type ${id}>`;
}

const keyword = (type: BtfComposite): string => (type.kind === BTF_KIND_STRUCT ? 'struct' : 'union');

const byteAndBit = (bits: number): string => (bits % 8 === 0 ? `${bits / 8}` : `${Math.floor(bits / 8)}:${bits % 8}`);

/** Members with their offset from the start of the outermost struct. */
function compositeLines(p: Printer, type: BtfComposite, indent: string, base: number): string[] {
  return type.members.flatMap((m): string[] => {
    if (p.left-- <= 0) return [`${indent}\t${TOO_DEEP}`];
    const at = `/* ${m.bitSize > 0 ? `${Math.floor((base + m.bitOffset) / 8)}:${(base + m.bitOffset) % 8}` : byteAndBit(base + m.bitOffset)} */`;
    const inner = p.btf.type(m.type);
    if ((inner.kind === BTF_KIND_STRUCT || inner.kind === BTF_KIND_UNION) && inner.name === '' && indent.length < 16) {
      const body = compositeLines(p, inner, `${indent}\t`, base + m.bitOffset);
      return [`${indent}\t${keyword(inner)} {`, ...body, `${indent}\t}${m.name === '' ? '' : ` ${m.name}`}; ${at}`];
    }
    return [`${indent}\t${declare(p, m.type, m.name, 0)}${m.bitSize > 0 ? `:${m.bitSize}` : ''}; ${at}`];
  });
}

const enumLines = (type: BtfEnum): string[] => type.values.map((v) => `\t${v.name} = ${v.value},`);

const block = (head: string, lines: readonly string[]): string => [`${head} {`, ...lines, '};'].join('\n');

/** A type's definition over several lines: members with byte offsets, enumerators, a section's variables; for others, one line as `formatType`. */
export function formatDefinition(btf: Btf, id: number): string {
  if (!btf.has(id)) return `<type ${id}>`;
  const type = btf.type(id);
  switch (type.kind) {
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: return block(words(keyword(type), type.name), compositeLines({ btf, left: NODES_MAX }, type, '', 0));
    case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return block(words('enum', type.name), enumLines(type));
    case BTF_KIND_DATASEC: return block(`section ${type.name}`, type.vars.map((v) => `\t${formatType(btf, v.type)}; /* ${v.offset} */`));
    case BTF_KIND_TYPEDEF: return `typedef ${formatType(btf, type.type, type.name)};`;
    default: return `${formatType(btf, id)};`;
  }
}
