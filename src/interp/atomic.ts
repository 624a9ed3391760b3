// Atomic read-modify-write, load-acquire and store-release.
// Invariant: with shared memory, aligned operations are atomic against other workers (a compare-exchange loop on the host's typed arrays,
// whose byte order is turned where the host is big-endian); with plain memory one thread runs, and a read and a write are enough.
// Source: RFC 9669 section 5.3; kernel/bpf/core.c for the 32-bit forms; uapi BPF_LOAD_ACQ, BPF_STORE_REL (Linux 6.15).

import {
  BPF_ADD, BPF_AND, BPF_ATOMIC, BPF_B, BPF_CMPXCHG, BPF_DW, BPF_FETCH, BPF_H, BPF_LOAD_ACQ, BPF_OR, BPF_STORE_REL, BPF_STX, BPF_W,
  BPF_XCHG, BPF_XOR,
} from '../spec/opcodes.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { KernelMemory } from '../vm/memory.ts';
import type { Frame, Handler, Op } from './frame.ts';
import { WIDTHS } from './load-store.ts';

/** The new value from the old one and the source register. */
type Modify = (old: bigint, src: bigint) => bigint;

const MODIFY: Readonly<Record<number, Modify>> = {
  [BPF_ADD]: (old, src) => old + src,
  [BPF_OR]: (old, src) => old | src,
  [BPF_AND]: (old, src) => old & src,
  [BPF_XOR]: (old, src) => old ^ src,
};

const HOST_IS_BIG_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

function turned(value: bigint, bits: number): bigint {
  if (!HOST_IS_BIG_ENDIAN) return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value << BigInt(64 - bits), true);
  return view.getBigUint64(0, false);
}

/** Replaces the value at `offset` by `modify` of it; returns the old one, unsigned. */
function exchange(memory: KernelMemory, offset: number, bits: 32 | 64, modify: (old: bigint) => bigint): bigint {
  const width = WIDTHS[bits === 32 ? BPF_W : BPF_DW] as (typeof WIDTHS)[number];
  if (memory.shared && offset % width.bytes === 0) return exchangeShared(memory, offset, bits, modify);
  const old = width.read(memory.view, offset);
  width.write(memory.view, offset, BigInt.asUintN(bits, modify(old)));
  return old;
}

function exchangeShared(memory: KernelMemory, offset: number, bits: 32 | 64, modify: (old: bigint) => bigint): bigint {
  const buffer = memory.memory.buffer;
  const cells32 = new Uint32Array(buffer, offset, bits / 32);
  const cells64 = bits === 64 ? new BigUint64Array(buffer, offset, 1) : undefined;
  for (;;) {
    const seen = cells64 === undefined ? BigInt(Atomics.load(cells32, 0)) : Atomics.load(cells64, 0);
    const old = turned(seen, bits);
    const wanted = turned(BigInt.asUintN(bits, modify(old)), bits);
    const found = cells64 === undefined
      ? BigInt(Atomics.compareExchange(cells32, 0, Number(seen), Number(wanted)))
      : Atomics.compareExchange(cells64, 0, seen, wanted);
    if (found === seen) return old;
  }
}

const addressOf = (frame: Frame, reg: number, off: number): bigint => BigInt.asUintN(64, frame.reg(reg) + BigInt(off));

/** add, or, and, xor with and without fetch, xchg, cmpxchg. */
const readModifyWrite = (bits: 32 | 64): Handler => (frame, op) => {
  const { memory } = frame.prog.env;
  const offset = frame.prog.translate(frame, addressOf(frame, op.dst, op.off), bits / 8, true);
  const src = BigInt.asUintN(bits, frame.reg(op.src));
  if (op.imm === BPF_CMPXCHG) {
    const expected = BigInt.asUintN(bits, frame.reg(0));
    frame.regs[0] = exchange(memory, offset, bits, (old) => (old === expected ? src : old));
    return;
  }
  const modify = op.imm === BPF_XCHG ? (): bigint => src : modifyOf(op);
  const old = exchange(memory, offset, bits, (value) => modify(value, src));
  if ((op.imm & BPF_FETCH) !== 0) frame.regs[op.src] = old;
};

function modifyOf(op: Op): Modify {
  const modify = MODIFY[op.imm & ~BPF_FETCH];
  if (modify === undefined) throw new NotSupportedError(`atomic operation 0x${op.imm.toString(16)}`);
  return modify;
}

/** One thread at a time reads or writes whole values here; across workers, aligned DataView accesses of shared memory don't tear on any engine we run on. */
const acquireRelease = (size: number): Handler => (frame, op) => {
  const width = WIDTHS[size] as (typeof WIDTHS)[number];
  const { view } = frame.prog.env.memory;
  if (op.imm === BPF_LOAD_ACQ) {
    frame.regs[op.dst] = width.read(view, frame.prog.translate(frame, addressOf(frame, op.src, op.off), width.bytes, false));
  } else if (op.imm === BPF_STORE_REL) {
    width.write(view, frame.prog.translate(frame, addressOf(frame, op.dst, op.off), width.bytes, true), frame.reg(op.src));
  } else {
    throw new NotSupportedError(`atomic operation 0x${op.imm.toString(16)} of ${width.bytes} bytes`);
  }
};

const atomic = (size: number, bits: 32 | 64): Handler => {
  const modify = readModifyWrite(bits);
  const order = acquireRelease(size);
  return (frame, op) => (op.imm === BPF_LOAD_ACQ || op.imm === BPF_STORE_REL ? order : modify)(frame, op);
};

/** Handlers of the BPF_ATOMIC mode by opcode. */
export const ATOMIC_HANDLERS: readonly (readonly [number, Handler])[] = [
  [BPF_STX | BPF_ATOMIC | BPF_W, atomic(BPF_W, 32)],
  [BPF_STX | BPF_ATOMIC | BPF_DW, atomic(BPF_DW, 64)],
  [BPF_STX | BPF_ATOMIC | BPF_H, acquireRelease(BPF_H)],
  [BPF_STX | BPF_ATOMIC | BPF_B, acquireRelease(BPF_B)],
];
