// Renaming of ids between states, and the packing of linked registers.

import { describe, expect, it } from 'vitest';
import { IdMap } from './id-map.ts';
import { insnStackAccessFlags, insnStackAccessFrameno, insnStackAccessSpi, linkedReg, packLinkedRegs, unpackLinkedRegs } from './jmp-history.ts';
import { StackState } from './stack-state.ts';
import { VerifierLog } from './log.ts';

describe('IdMap', () => {
  it('pairs ids one to one', () => {
    const ids = new IdMap();
    ids.reset(10);
    expect([ids.check(0, 0), ids.check(1, 0), ids.check(0, 1)]).toEqual([true, false, false]);
    expect([ids.check(1, 5), ids.check(1, 5), ids.check(1, 6), ids.check(2, 5)]).toEqual([true, true, false, false]);
    ids.reset(10);
    expect(ids.check(2, 5)).toBe(true);
  });
});

describe('jump history', () => {
  it('packs up to six linked registers', () => {
    const entries = [linkedReg(0, 1, true), linkedReg(1, 63, false), linkedReg(7, 9, true)];
    expect(unpackLinkedRegs(packLinkedRegs(entries))).toEqual(entries.toReversed());
  });
  it('packs stack accesses', () => {
    const flags = insnStackAccessFlags(5, 62);
    expect([insnStackAccessFrameno(flags), insnStackAccessSpi(flags)]).toEqual([5, 62]);
  });
});

describe('StackState', () => {
  it('grows in slots and keeps what it had', () => {
    const stack = new StackState();
    stack.grow(4);
    expect(stack.allocatedBytes).toBe(8);
    stack.slotTypes[0] = 2;
    stack.spilled(0).off = 7;
    stack.grow(512);
    expect([stack.slotTypes[0], stack.spilled(0).off, stack.spilled(63).off]).toEqual([2, 7, 0]);
  });
  it('copies without sharing', () => {
    const from = new StackState();
    from.grow(16);
    from.spilled(1).off = 3;
    const to = new StackState();
    to.copyFrom(from);
    from.spilled(1).off = 9;
    expect(to.spilled(1).off).toBe(3);
  });
});

describe('VerifierLog', () => {
  it('goes back to a position, within a piece of text too', () => {
    const log = new VerifierLog(1);
    log.verbose('abc\n');
    const { position } = log;
    log.verbose('def\n');
    log.resetTo(position);
    expect(log.text).toBe('abc\n');
    log.resetTo(position - 1);
    log.verbose('!');
    expect(log.text).toBe('abc!');
  });
  it('knows its last line', () => {
    const log = new VerifierLog(0);
    log.verbose('one\n');
    log.verbose('two ');
    log.verbose('three\n\n');
    expect(log.lastLine).toBe('two three');
  });
});
