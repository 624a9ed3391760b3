// The pages of docs/reference, each made from the tables in src/spec (and the error classes' own words).
// Invariant: pure and deterministic: the same tables give the same text, so that a stale page can be told.

import { ATTACH_TYPES } from '../src/spec/attach-types.ts';
import { CTX_ACCESS } from '../src/spec/context.ts';
import { ACQUIRES_REFERENCE, ASYNC_CALLBACKS, CHANGES_PACKET, SYNC_CALLBACKS } from '../src/spec/helper-facts.ts';
import type { HelperProto } from '../src/spec/helpers.ts';
import { HELPERS } from '../src/spec/helpers.ts';
import type { ConformanceGroup } from '../src/spec/insn-table.ts';
import { INSN_TABLE } from '../src/spec/insn-table.ts';
import { MAP_TYPES } from '../src/spec/map-types.ts';
import { MAP_TYPE_HELPERS } from '../src/spec/map-helper-compat.ts';
import { helperProtoFor } from '../src/spec/prog-type-helpers.ts';
import { PROG_TYPES } from '../src/spec/prog-types.ts';
import { SEC_DEFS } from '../src/spec/sec-names.ts';
import type { SecDef } from '../src/spec/sec-names.ts';
import * as types from '../src/spec/verifier-types.ts';
import { baseType, typeFlag } from '../src/spec/verifier-types.ts';
import { formatVersion } from '../src/spec/versions.ts';

const HEADER = '<!-- Generated from src/spec by tools/generate-docs.ts (npm run docs). Do not edit. -->\n';

const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;

/** A Markdown table; '|' in cells is escaped. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

const page = (title: string, intro: string, body: string): string => `${HEADER}# ${title}\n\n${intro}\n\n${body}`;
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);
const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

const GROUPS: readonly (readonly [ConformanceGroup, string])[] = [
  ['base32', 'RFC 9669, group base32'],
  ['base64', 'RFC 9669, group base64'],
  ['divmul32', 'RFC 9669, group divmul32'],
  ['divmul64', 'RFC 9669, group divmul64'],
  ['atomic32', 'RFC 9669, group atomic32'],
  ['atomic64', 'RFC 9669, group atomic64'],
  ['packet', 'RFC 9669, group packet (deprecated there)'],
  ['linux', 'Linux, not in the RFC'],
];

const field = (rule: string | number): string => (typeof rule === 'string' ? rule : rule > 16 ? hex(rule) : String(rule));

function instructions(): string {
  const body = GROUPS.map(([group, title]) => {
    const rows = INSN_TABLE.filter((row) => row.group === group).map((row) => [
      code(row.syntax), hex(row.code), field(row.dst), field(row.src), field(row.off), field(row.imm), `v${row.cpu}`, formatVersion(row.since), row.name,
    ]);
    return `## ${title}\n\n${table(['prints as', 'opcode', 'dst', 'src', 'off', 'imm', '-mcpu', 'since', 'fields'], rows)}`;
  }).join('\n');
  return page('Instructions', `${INSN_TABLE.length} instructions. A number is what the field must hold; \`reg\`, \`off\` and \`imm\` are free.`, body);
}

function names(prefix: string): ReadonlyMap<number, string> {
  const entries = Object.entries(types).filter(([name, value]) => name.startsWith(prefix) && typeof value === 'number');
  return new Map(entries.map(([name, value]) => [value as number, name.slice(prefix.length)]));
}
const ARG_NAMES = names('ARG_');
const RET_NAMES = names('RET_');
const FLAG_NAMES: readonly (readonly [number, string])[] = Object.entries(types).filter(
  (entry): entry is [string, number] => /^(PTR_MAYBE_NULL|PTR_UNTRUSTED|PTR_TRUSTED|MEM_|OBJ_RELEASE|DYNPTR_TYPE_(?!FLAG)|NON_OWN)/.test(entry[0]) && typeof entry[1] === 'number',
).map(([name, value]): readonly [number, string] => [value, name]).sort(([a], [b]) => a - b); // a bundler may reorder a module's names

function typeText(table_: ReadonlyMap<number, string>, type: number): string {
  const whole = table_.get(type);
  if (whole !== undefined) return whole;
  const flags = FLAG_NAMES.filter(([flag]) => (typeFlag(type) & flag) !== 0).map(([, name]) => name);
  return [table_.get(baseType(type)) ?? String(baseType(type)), ...flags].join(' | ');
}

function protoText(proto: HelperProto): string {
  const args = proto.args.map((arg, i) => {
    const size = (proto.sizes?.[i] ?? 0) > 0 ? ` (${proto.sizes?.[i]} bytes)` : '';
    const struct = (proto.argBtf?.[i] ?? '') === '' ? '' : ` (struct ${proto.argBtf?.[i]})`;
    return code(typeText(ARG_NAMES, arg)) + size + struct;
  });
  return args.length === 0 ? 'none' : args.map((arg, i) => `r${i + 1} ${arg}`).join('<br>');
}

function notes(id: number, proto: HelperProto): string {
  const words: readonly (readonly [boolean, string])[] = [
    [proto.gplOnly === true, 'GPL'],
    [proto.pktAccess === true, 'takes packet memory'],
    [proto.mightSleep === true, 'sleepable programs only'],
    [proto.allowFastcall === true, 'fastcall'],
    [CHANGES_PACKET.has(id), 'packet pointers are lost'],
    [ACQUIRES_REFERENCE.has(id), 'result must be released'],
    [SYNC_CALLBACKS.has(id), 'calls back'],
    [ASYNC_CALLBACKS.has(id), 'calls back later'],
  ];
  return words.filter(([holds]) => holds).map(([, word]) => word).join(', ');
}

const ROOT = { bpf: true, perfmon: true };
const NETWORK = ['BPF_PROG_TYPE_XDP', 'BPF_PROG_TYPE_SCHED_CLS', 'BPF_PROG_TYPE_SOCKET_FILTER'] as const;

function helperRows(): string[][] {
  return HELPERS.slice(1).flatMap((helper) => {
    const may = NETWORK.filter((name) => helperProtoFor(PROG_TYPES.findIndex((type) => type.name === name), helper.id, 0, ROOT) !== undefined);
    const used = may.map((name) => name.replace('BPF_PROG_TYPE_', '')).join(', ');
    const ret = code(typeText(RET_NAMES, helper.ret)) + (helper.retBtf === undefined ? '' : ` (struct ${helper.retBtf})`);
    const main = [String(helper.id), code(helper.name), formatVersion(helper.since), ret, protoText(helper), notes(helper.id, helper), used];
    const others = Object.entries(helper.variants ?? {}).map(([name, proto]) => [
      '', `as ${code(name)}`, '', code(typeText(RET_NAMES, proto.ret)), protoText(proto), notes(helper.id, proto), '',
    ]);
    return [main, ...others];
  });
}

function helpersPage(): string {
  const intro = `${HELPERS.length - 1} helper functions with the prototypes that the verifier checks calls against (ARG_ and RET_ left off). ` +
    'A row "as …" is the prototype for other program types. The last column names the packet program types that may call it with all capabilities.';
  return page('Helper functions', intro, table(['id', 'name', 'since', 'returns', 'arguments', 'notes', 'packet programs'], helperRows()));
}

function mapTypes(): string {
  const rows = MAP_TYPES.slice(1).map((type) => [
    String(type.id), code(type.name), code(type.shortName), formatVersion(type.since),
    [type.perCpu ? 'per CPU' : '', type.mapInMap ? 'holds maps' : ''].filter((word) => word !== '').join(', '),
    (MAP_TYPE_HELPERS.get(type.id) ?? []).map((id) => code(HELPERS[id]?.name ?? '')).join(' ') || 'any',
  ]);
  return page('Map types', `${rows.length} map types.`, table(['id', 'name', 'bpftool', 'since', '', 'helpers that take it'], rows));
}

function programTypes(): string {
  const rows = PROG_TYPES.slice(1).map((type) => [
    String(type.id), code(type.name), code(type.shortName), formatVersion(type.since), code(type.ctx),
    String(HELPERS.filter((helper) => helperProtoFor(type.id, helper.id, 0, ROOT) !== undefined).length),
  ]);
  const fields = Object.entries(CTX_ACCESS).map(([name, access]) => {
    const cells = access.struct.fields.map((row) => {
      const denied = access.denied.includes(row.name as never);
      const writable = access.writable.includes(row.name as never);
      return [String(row.offset), code(row.name), String(row.size), formatVersion(row.since), denied ? 'no' : writable ? 'read, write' : 'read', denied ? '' : row.rule];
    });
    return `\n## Context of ${name}: \`struct ${access.struct.name}\`\n\n${table(['offset', 'field', 'bytes', 'since', 'access', 'widths'], cells)}`;
  });
  const intro = `${rows.length} program types. The last column counts the helpers that a program without an attach type may call with all capabilities. ` +
    'Widths of a field: "narrow" is read in 1, 2 or 4 bytes and written in 4, "exact" only whole, "any" in any aligned width.';
  return page('Program types', intro, table(['id', 'name', 'bpftool', 'since', 'context', 'helpers'], rows) + fields.join(''));
}

function attachTypes(): string {
  const rows = ATTACH_TYPES.map((type) => [String(type.id), code(type.name), code(type.shortName), formatVersion(type.since)]);
  return page('Attach types', `${rows.length} attach types.`, table(['id', 'name', 'bpftool', 'since'], rows));
}

function secFlags(def: SecDef): string {
  const words: readonly (readonly [true | undefined, string])[] = [
    [def.sleepable, 'sleepable'],
    [def.xdpFrags, 'multi-buffer'],
    [def.attachBtf, 'target by BTF'],
    [def.attachable, 'attaches by type'],
    [def.expAttachOpt, 'attach type optional'],
    [def.usdt, 'USDT'],
  ];
  return words.filter(([holds]) => holds === true).map(([, word]) => word).join(', ');
}

function secNames(): string {
  const rows = SEC_DEFS.map((def: SecDef) => {
    const attach = def.attachType === 0 && !def.sec.endsWith('ingress') ? '' : code(ATTACH_TYPES[def.attachType]?.name ?? '');
    return [code(def.sec), code(PROG_TYPES[def.progType]?.name ?? ''), attach, secFlags(def)];
  });
  return page('Section names', 'What libbpf reads out of `SEC("…")`. `name+` stands for `name` and `name/…`; the first row that matches decides.', table(['section', 'program type', 'expected attach type', ''], rows));
}

/** The error classes of util/errors.ts: name, exit code, and the sentence that stands over the class. */
function errorsPage(source: string): string {
  const CLASS = /\/\*\*\s*(?<doc>(?:(?!\*\/)[\s\S])*?)\s*\*\/\s*export (?:abstract )?class (?<name>\w+) extends (?<base>\w+)(?<body>[\s\S]*?)\n\}/g;
  const rows = [...source.matchAll(CLASS)].map((match) => {
    const { doc = '', name = '', body = '' } = match.groups ?? {};
    const exit = /exitCode = (\d)/.exec(body)?.[1] ?? '';
    return [code(name), exit, doc.replace(/\s*\n\s*\*\s?/g, ' ')];
  });
  return page('Errors', 'Everything that bpfkit throws on purpose. The number is what the command line ends with.', table(['class', 'exit code', 'meaning'], rows));
}

/** Every generated page by its file name in docs/reference. `errorsSource` is the text of src/util/errors.ts. */
export const referencePages = (errorsSource: string): Readonly<Record<string, string>> => ({
  'instructions.md': instructions(),
  'helpers.md': helpersPage(),
  'map-types.md': mapTypes(),
  'program-types.md': programTypes(),
  'attach-types.md': attachTypes(),
  'sec-names.md': secNames(),
  'errors.md': errorsPage(errorsSource),
});
