// Registers, slots and states as the log shows them; the expected texts are what Linux 6.18 prints.

import { describe, expect, it } from 'vitest';
import { BPF_ADD_CONST64 } from '../spec/limits.ts';
import { CONST_PTR_TO_MAP, PTR_MAYBE_NULL, PTR_TO_CTX, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_STACK, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { S32_MAX, S32_MIN, U64_MAX } from '../util/u64.ts';
import { regBoundsSync } from './bounds.ts';
import { VerifierEnv } from './env.ts';
import { FuncState } from './func-state.ts';
import { printInsnState, printVerifierState, regText } from './log-state.ts';
import { markRegKnown, markRegKnownZero, markRegUnknown } from './mark-reg.ts';
import { RegState } from './reg-state.ts';
import { STACK_MISC, STACK_SPILL, STACK_ZERO } from './stack-state.ts';

const CAPS = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true };
const MAP = { id: 1, name: 'flows', mapType: 1, keySize: 4, valueSize: 8, maxEntries: 1, mapFlags: 0 };

function environment(): VerifierEnv {
  const prog = { name: 'p', type: 6, expectedAttachType: 0, insns: [], license: 'GPL', flags: 0, funcInfo: [], lineInfo: [] };
  const env = new VerifierEnv(prog, { caps: CAPS, kernel: 6018, logLevel: 2, mapByFd: () => undefined });
  env.state.frames = [new FuncState()];
  env.mapFds.push(3);
  env.maps.push(MAP);
  return env;
}

const env = environment();

function scalar(change: (reg: RegState) => void = () => {}): RegState {
  const reg = new RegState();
  markRegUnknown(env, reg);
  change(reg);
  regBoundsSync(reg);
  return reg;
}

function pointer(type: number, change: (reg: RegState) => void = () => {}): RegState {
  const reg = new RegState();
  markRegKnownZero(reg);
  reg.type = type;
  change(reg);
  return reg;
}

const text = (reg: RegState): string => regText(env, env.frame, reg);

describe('scalars', () => {
  it('unknown', () => expect(text(scalar())).toBe('scalar()'));
  it('with an id', () => expect(text(scalar((reg) => { reg.id = 3; }))).toBe('scalar(id=3)'));
  it('linked plus a constant', () => expect(text(scalar((reg) => { reg.id = 3 | BPF_ADD_CONST64; reg.off = 7; }))).toBe('scalar(id=3+7)'));
  it('a byte', () => {
    const reg = scalar((r) => { r.umaxValue = 255n; });
    expect(text(reg)).toBe('scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))');
  });
  it('small constants in decimal, large ones in hexadecimal', () => {
    const constant = (value: bigint): string => text(scalar((reg) => markRegKnown(reg, value)));
    expect([constant(-1n), constant(32767n), constant(32768n), constant(0xffff_ffffn)]).toEqual(['-1', '32767', '0x8000', '0xffffffff']);
  });
  it('precise', () => expect(text(scalar((reg) => { markRegKnown(reg, 5n); reg.precise = true; }))).toBe('P5'));
  it('a sign-extended word', () => {
    const reg = scalar((r) => { r.sminValue = BigInt(S32_MIN); r.smaxValue = BigInt(S32_MAX); });
    expect(text(reg)).toBe('scalar(smin=0xffffffff80000000,smax=0x7fffffff)');
  });
});

describe('pointers', () => {
  it('context and frame pointer', () => {
    expect(text(pointer(PTR_TO_CTX))).toBe('ctx()');
    expect(text(pointer(PTR_TO_STACK))).toBe('fp0');
    expect(text(pointer(PTR_TO_STACK, (reg) => { reg.off = -8; }))).toBe('fp-8');
    expect(text(pointer(PTR_TO_STACK, (reg) => { reg.frameno = 1; reg.off = -16; }))).toBe('fp[1]-16');
  });
  it('maps', () => {
    expect(text(pointer(CONST_PTR_TO_MAP, (reg) => { reg.mapIndex = 1; }))).toBe('map_ptr(map=flows,ks=4,vs=8)');
    expect(text(pointer(PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, (reg) => { reg.mapIndex = 1; reg.id = 2; }))).toBe('map_value_or_null(id=2,map=flows,ks=4,vs=8)');
  });
  it('packet and memory', () => {
    expect(text(pointer(PTR_TO_PACKET, (reg) => { reg.off = 14; reg.extra = 34; }))).toBe('pkt(off=14,r=34)');
    expect(text(pointer(PTR_TO_MEM | PTR_MAYBE_NULL, (reg) => { reg.extra = 16; reg.id = 1; reg.refObjId = 1; }))).toBe('mem_or_null(id=1,ref_obj_id=1,sz=16)');
  });
  it('a variable offset', () => {
    const reg = pointer(PTR_TO_PACKET, (r) => { r.id = 4; r.varMask = 0xfcn; r.umaxValue = 252n; r.smaxValue = 252n; r.s32MaxValue = 252; r.u32MaxValue = 252; });
    expect(text(reg)).toBe('pkt(id=4,r=0,smin=smin32=0,smax=umax=smax32=umax32=252,var_off=(0x0; 0xfc))');
  });
});

describe('states', () => {
  it('prints only what changed, behind the instruction', () => {
    const fresh = environment();
    (fresh.regs[1] as RegState).copyFrom(pointer(PTR_TO_CTX));
    (fresh.regs[10] as RegState).copyFrom(pointer(PTR_TO_STACK));
    fresh.markStateScratched();
    printVerifierState(fresh, fresh.state, 0, false);
    fresh.log.verbose('0: (b7) r0 = 0\n');
    fresh.prevInsnPrintPos = '0: (b7) r0 = 0\n'.length;
    fresh.prevLogPos = fresh.log.position;
    (fresh.regs[0] as RegState).copyFrom(scalar((reg) => markRegKnown(reg, 0n)));
    fresh.markRegScratched(0);
    printInsnState(fresh, fresh.state, 0);
    expect(fresh.log.text).toBe(' R1=ctx() R10=fp0\n0: (b7) r0 = 0                        ; R0=0\n');
  });

  it('shows stack bytes and spilled registers', () => {
    const fresh = environment();
    const { stack } = fresh.frame;
    stack.grow(24);
    stack.slotTypes.fill(STACK_MISC, 0, 8);
    stack.slotTypes.fill(STACK_ZERO, 8, 12);
    stack.slotTypes.fill(STACK_SPILL, 16, 24);
    stack.spilled(2).copyFrom(scalar((reg) => { reg.umaxValue = U64_MAX >> 1n; }));
    stack.spilled(2).type = SCALAR_VALUE;
    printVerifierState(fresh, fresh.state, 0, true);
    expect(fresh.log.text).toBe(' fp-8=mmmmmmmm fp-16=0000???? fp-24=scalar(smin=0,umax=0x7fffffffffffffff,var_off=(0x0; 0x7fffffffffffffff))\n');
  });
});
