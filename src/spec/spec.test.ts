// The tables agree with themselves: dense ids, unique names, counts, versions in order, every row reachable by its look-ups.

import { describe, expect, it } from 'vitest';
import * as attachTypes from './attach-types.ts';
import { ATTACH_TYPES } from './attach-types.ts';
import { BPF_COMMANDS, COMMANDS } from './commands.ts';
import { CTX_ACCESS, ctxFieldAt, SK_BUFF_MD, XDP_MD } from './context.ts';
import { errnoByName, errnoName, ENOTSUPP, EOPNOTSUPP, strerror } from './errno.ts';
import * as helpers from './helpers.ts';
import { helperById, helperByName, HELPERS } from './helpers.ts';
import { INSN_TABLE, insnRowOf } from './insn-table.ts';
import { MAP_FLAG_NAMES, MAP_TYPES } from './map-types.ts';
import * as mapTypes from './map-types.ts';
import { helperTakesMap, HELPER_MAP_TYPES, MAP_TYPE_HELPERS } from './map-helper-compat.ts';
import { BASE_HELPERS, helperGrant, helperProtoFor, PROG_TYPE_HELPERS } from './prog-type-helpers.ts';
import { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP, PROG_TYPES } from './prog-types.ts';
import * as progTypes from './prog-types.ts';
import { SEC_DEFS, secDefOf, secTarget } from './sec-names.ts';
import * as verifierTypes from './verifier-types.ts';
import { baseType, MEM_FIXED_SIZE, regTypeStr, typeFlag, typeMayBeNull } from './verifier-types.ts';
import { isKnownVersion, NEWEST_KERNEL, OLDEST_KERNEL } from './versions.ts';

const ROOT = { bpf: true, perfmon: true };
const denseAndUnique = (table: readonly { readonly id: number; readonly name: string }[]): void => {
  table.forEach((row, index) => expect(row.id, row.name).toBe(index));
  expect(new Set(table.map((row) => row.name)).size).toBe(table.length);
};
const known = (table: readonly { readonly name: string; readonly since: number }[]): void => {
  for (const row of table) expect(isKnownVersion(row.since), `${row.name} since ${row.since}`).toBe(true);
};

describe('numbered tables', () => {
  it('are dense, unique and of known versions', () => {
    for (const table of [MAP_TYPES, PROG_TYPES, ATTACH_TYPES, COMMANDS, HELPERS]) {
      denseAndUnique(table);
      known(table);
    }
  });

  it('have as many rows as Linux 6.18', () => {
    expect(HELPERS.length - 1).toBe(211);
    expect(MAP_TYPES.length - 1).toBe(33);
    expect(PROG_TYPES.length - 1).toBe(32);
    expect(ATTACH_TYPES.length).toBe(58);
    expect(COMMANDS.length).toBe(38);
  });

  it('agree with the constants of the same names', () => {
    for (const [module, table] of [[mapTypes, MAP_TYPES], [progTypes, PROG_TYPES], [attachTypes, ATTACH_TYPES]] as const) {
      for (const row of table) expect((module as Record<string, unknown>)[row.name], row.name).toBe(row.id);
    }
    for (const row of HELPERS.slice(1)) expect((helpers as Record<string, unknown>)[row.name.replace('bpf_', 'BPF_FUNC_')]).toBe(row.id);
    for (const row of COMMANDS) expect(BPF_COMMANDS[row.name]).toBe(row.id);
  });

  it('grow with the versions: no helper, command or map type is older than one before it', () => {
    for (const table of [HELPERS, COMMANDS, MAP_TYPES]) {
      for (let i = 1; i < table.length; i++) {
        expect(table[i]?.since, table[i]?.name).toBeGreaterThanOrEqual(table[i - 1]?.since ?? 0);
      }
    }
  });

  it('name the map flags by bit', () => {
    MAP_FLAG_NAMES.forEach((name, bit) => expect((mapTypes as Record<string, unknown>)[name]).toBe(1 << bit));
  });
});

describe('errno', () => {
  it('names both ways, and knows the kernel-internal ENOTSUPP', () => {
    expect(errnoName(-22)).toBe('EINVAL');
    expect(errnoByName('ENOENT')).toBe(2);
    expect(strerror(13)).toBe('Permission denied');
    expect(ENOTSUPP).toBe(524);
    expect(EOPNOTSUPP).toBe(95);
    expect(errnoName(9999)).toBe('errno 9999');
  });
});

describe('verifier types', () => {
  it('keep the base in the low byte and flags above it', () => {
    for (const [name, value] of Object.entries(verifierTypes)) {
      if (!/^(PTR_TO|ARG|RET|CONST_PTR)_/.test(name) || typeof value !== 'number') continue;
      expect(baseType(value), name).toBeLessThan(32);
      expect(baseType(value) | typeFlag(value), name).toBe(value);
      expect(typeMayBeNull(value), name).toBe(name.endsWith('_OR_NULL'));
    }
  });

  it('print as in verifier logs', () => {
    expect(regTypeStr(verifierTypes.PTR_TO_MAP_VALUE_OR_NULL)).toBe('map_value_or_null');
    expect(regTypeStr(verifierTypes.PTR_TO_STACK)).toBe('fp');
    expect(regTypeStr(verifierTypes.PTR_TO_MEM | verifierTypes.MEM_RDONLY | verifierTypes.MEM_RINGBUF)).toBe('rdonly_ringbuf_mem');
    expect(regTypeStr(verifierTypes.PTR_TO_BTF_ID_OR_NULL | verifierTypes.PTR_TRUSTED)).toBe('trusted_ptr_or_null_');
  });
});

describe('helper prototypes', () => {
  const protos = HELPERS.flatMap((row) => [row, ...Object.values(row.variants ?? {})]);

  it('have at most five arguments, and a size for each of fixed size', () => {
    for (const proto of protos) {
      expect(proto.args.length).toBeLessThanOrEqual(5);
      proto.args.forEach((arg, i) => expect((arg & MEM_FIXED_SIZE) !== 0).toBe((proto.sizes?.[i] ?? 0) > 0));
      for (const list of [proto.sizes, proto.argBtf]) if (list !== undefined) expect(list.length).toBe(proto.args.length);
    }
  });

  it('pair each size with the memory argument before it', () => {
    for (const proto of protos) {
      proto.args.forEach((arg, i) => {
        const size = baseType(arg) === verifierTypes.ARG_CONST_SIZE || baseType(arg) === verifierTypes.ARG_CONST_SIZE_OR_ZERO;
        if (size) expect(baseType(proto.args[i - 1] ?? 0)).toBe(verifierTypes.ARG_PTR_TO_MEM);
      });
    }
  });

  it('say of every memory argument whether it is read or written', () => {
    for (const proto of protos) {
      for (const arg of proto.args) {
        if (baseType(arg) !== verifierTypes.ARG_PTR_TO_MEM) continue;
        expect(typeFlag(arg) & (verifierTypes.MEM_RDONLY | verifierTypes.MEM_WRITE)).not.toBe(0);
      }
    }
  });

  it('are found by number and name', () => {
    expect(helperByName('bpf_map_lookup_elem')?.id).toBe(1);
    expect(helperById(0)).toBeUndefined();
    expect(helperById(212)).toBeUndefined();
  });
});

describe('helpers by program type', () => {
  it('name existing helpers and variants', () => {
    for (const { own } of Object.values(PROG_TYPE_HELPERS)) {
      for (const entry of [...own, ...BASE_HELPERS]) {
        const grant = typeof entry === 'string' ? { name: entry, variant: undefined } : entry;
        const helper = helperByName(grant.name);
        expect(helper, grant.name).toBeDefined();
        if (grant.variant !== undefined) expect(helper?.variants?.[grant.variant], grant.variant).toBeDefined();
      }
    }
  });

  it('count as a running 6.18 does', () => {
    const count = (type: number): number => HELPERS.filter((row) => helperProtoFor(type, row.id, 0, ROOT) !== undefined).length;
    expect(count(BPF_PROG_TYPE_SOCKET_FILTER)).toBe(88);
    expect(count(BPF_PROG_TYPE_SCHED_CLS)).toBe(139);
    expect(count(BPF_PROG_TYPE_XDP)).toBe(104);
  });

  it('hang on capabilities and variants', () => {
    const printk = helpers.BPF_FUNC_trace_printk;
    expect(helperProtoFor(BPF_PROG_TYPE_XDP, printk, 0, { bpf: true, perfmon: false })).toBeUndefined();
    expect(helperProtoFor(BPF_PROG_TYPE_XDP, printk, 0, ROOT)).toBe(HELPERS[printk]);
    expect(helperProtoFor(BPF_PROG_TYPE_SOCKET_FILTER, helpers.BPF_FUNC_loop, 0, { bpf: false, perfmon: false })).toBeUndefined();
    const cpu = helpers.BPF_FUNC_get_smp_processor_id;
    expect(helperProtoFor(BPF_PROG_TYPE_XDP, cpu, 0, ROOT)?.allowFastcall).toBe(true);
    expect(helperProtoFor(BPF_PROG_TYPE_SOCKET_FILTER, cpu, 0, ROOT)?.allowFastcall).toBeUndefined();
    expect(helperGrant(BPF_PROG_TYPE_XDP, helpers.BPF_FUNC_skb_load_bytes)).toBeUndefined();
  });
});

describe('maps and helpers', () => {
  it('are the same relation from both sides where both speak', () => {
    for (const [helper, types] of HELPER_MAP_TYPES) {
      for (const type of types) {
        const allowed = MAP_TYPE_HELPERS.get(type);
        if (allowed !== undefined) expect(allowed, `${HELPERS[helper]?.name} × ${MAP_TYPES[type]?.name}`).toContain(helper);
      }
    }
  });

  it('allow sockmap updates by program type', () => {
    expect(helperTakesMap(helpers.BPF_FUNC_map_update_elem, mapTypes.BPF_MAP_TYPE_SOCKMAP, BPF_PROG_TYPE_XDP, 0)).toBe(true);
    expect(helperTakesMap(helpers.BPF_FUNC_map_update_elem, mapTypes.BPF_MAP_TYPE_SOCKMAP, progTypes.BPF_PROG_TYPE_KPROBE, 0)).toBe(false);
    expect(helperTakesMap(helpers.BPF_FUNC_map_lookup_elem, mapTypes.BPF_MAP_TYPE_QUEUE, BPF_PROG_TYPE_XDP, 0)).toBe(false);
  });
});

describe('instruction table', () => {
  it('has unique names, and every row is the only one for its own fields', () => {
    expect(new Set(INSN_TABLE.map((row) => row.name)).size).toBe(INSN_TABLE.length);
    expect(INSN_TABLE.length).toBe(180);
    const number = (rule: string | number, free: number): number => (typeof rule === 'string' ? free : rule);
    for (const row of INSN_TABLE) {
      const insn = { code: row.code, dst: number(row.dst, 3), src: number(row.src, 4), off: number(row.off, -2), imm: number(row.imm, 7) };
      expect(insnRowOf(insn), row.name).toBe(row);
    }
    known(INSN_TABLE);
  });

  it('refuses reserved fields', () => {
    expect(insnRowOf({ code: 0x07, dst: 1, src: 1, off: 0, imm: 0 })).toBeUndefined();
    expect(insnRowOf({ code: 0xff, dst: 0, src: 0, off: 0, imm: 0 })).toBeUndefined();
    expect(insnRowOf({ code: 0xbf, dst: 11, src: 0, off: 0, imm: 0 })).toBeUndefined();
  });
});

describe('contexts', () => {
  it('have fields without overlap, inside their records', () => {
    for (const struct of [XDP_MD, SK_BUFF_MD]) {
      let end = 0;
      for (const field of struct.fields) {
        expect(field.offset, field.name).toBeGreaterThanOrEqual(end);
        expect(field.kernelOffset + field.size, field.name).toBeLessThanOrEqual(struct.kernelSizeBytes);
        expect(ctxFieldAt(struct, field.offset)).toBe(field);
        if (field.size === 8 || 'pointer' in field) expect(field.kernelOffset % 8, field.name).toBe(0);
        end = field.offset + field.size;
      }
      expect(end).toBeLessThanOrEqual(struct.sizeBytes);
    }
  });

  it('name existing fields in every rule', () => {
    for (const access of Object.values(CTX_ACCESS)) {
      const names: readonly string[] = access.struct.fields.map((field) => field.name);
      for (const name of [...access.denied, ...access.writable, ...Object.keys(access.regTypes)]) expect(names).toContain(name);
      for (const name of access.writable) expect(access.denied).not.toContain(name);
    }
  });
});

describe('section names', () => {
  it('are tried in order', () => {
    expect(secDefOf('xdp')?.attachType).toBe(attachTypes.BPF_XDP);
    expect(secDefOf('xdp.frags/devmap')).toMatchObject({ attachType: attachTypes.BPF_XDP_DEVMAP, xdpFrags: true });
    expect(secDefOf('xdp/other')).toBeUndefined();
    expect(secDefOf('tc')?.progType).toBe(BPF_PROG_TYPE_SCHED_CLS);
    expect(secDefOf('kprobes')).toBeUndefined();
    expect(new Set(SEC_DEFS.map((def) => def.sec)).size).toBe(SEC_DEFS.length);
  });

  it('give what follows the slash', () => {
    const def = secDefOf('kprobe/do_exit');
    expect(def === undefined ? '' : secTarget(def, 'kprobe/do_exit')).toBe('do_exit');
    const bare = secDefOf('kprobe');
    expect(bare === undefined ? 'x' : secTarget(bare, 'kprobe')).toBe('');
  });
});

describe('versions', () => {
  it('compare as numbers', () => {
    expect(isKnownVersion(5020)).toBe(false);
    expect(isKnownVersion(OLDEST_KERNEL) && isKnownVersion(NEWEST_KERNEL)).toBe(true);
  });
});
