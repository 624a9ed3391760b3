// Loads and stores: LDX, ST, STX and the 64-bit immediate load.
// Invariant: memory is little-endian whatever the host; unaligned accesses work; a load that the verifier did not prove (fact `probe`)
// reads 0 where the address is no kernel memory.
// Source: RFC 9669 sections 5.1, 5.2, 5.4; kernel: BPF_PROBE_MEM.

import { BPF_B, BPF_DW, BPF_H, BPF_IMM, BPF_LD, BPF_LDX, BPF_MEM, BPF_MEMSX, BPF_ST, BPF_STX, BPF_W } from '../spec/opcodes.ts';
import { KERNEL_BASE, PAGE_BYTES, toOffset } from '../vm/memory.ts';
import type { Frame, Handler, Op } from './frame.ts';

interface Width {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => bigint;
  readonly write: (view: DataView, offset: number, value: bigint) => void;
}

/** How each width is read (zero-extended) and written (truncated). */
export const WIDTHS: Readonly<Record<number, Width>> = {
  [BPF_B]: { bytes: 1, read: (view, at) => BigInt(view.getUint8(at)), write: (view, at, value) => view.setUint8(at, Number(value & 0xffn)) },
  [BPF_H]: { bytes: 2, read: (view, at) => BigInt(view.getUint16(at, true)), write: (view, at, value) => view.setUint16(at, Number(value & 0xffffn), true) },
  [BPF_W]: { bytes: 4, read: (view, at) => BigInt(view.getUint32(at, true)), write: (view, at, value) => view.setUint32(at, Number(value & 0xffff_ffffn), true) },
  [BPF_DW]: { bytes: 8, read: (view, at) => view.getBigUint64(at, true), write: (view, at, value) => view.setBigUint64(at, value, true) },
};

/** Whether [addr, addr + bytes) lies in memory that the kernel ever hands out. */
function readable(frame: Frame, addr: bigint, bytes: number): boolean {
  if (addr >> 32n !== KERNEL_BASE >> 32n) return false;
  const offset = toOffset(addr);
  return offset >= PAGE_BYTES && offset + bytes <= frame.prog.env.memory.view.byteLength;
}

function loadFrom(frame: Frame, op: Op, width: Width): bigint {
  const addr = BigInt.asUintN(64, frame.reg(op.src) + BigInt(op.off));
  if (op.fact.probe === true && !readable(frame, addr, width.bytes)) return 0n;
  const offset = op.fact.probe === true ? toOffset(addr) : frame.prog.translate(frame, addr, width.bytes, false);
  return width.read(frame.prog.env.memory.view, offset);
}

const load = (width: Width): Handler => (frame, op) => {
  frame.regs[op.dst] = loadFrom(frame, op, width);
};

const loadSigned = (width: Width): Handler => (frame, op) => {
  frame.regs[op.dst] = BigInt.asIntN(8 * width.bytes, loadFrom(frame, op, width));
};

function storeTo(frame: Frame, op: Op, width: Width, value: bigint): void {
  const addr = BigInt.asUintN(64, frame.reg(op.dst) + BigInt(op.off));
  width.write(frame.prog.env.memory.view, frame.prog.translate(frame, addr, width.bytes, true), value);
}

const storeReg = (width: Width): Handler => (frame, op) => storeTo(frame, op, width, frame.reg(op.src));
const storeImm = (width: Width): Handler => (frame, op) => storeTo(frame, op, width, BigInt.asUintN(64, op.imm64));

const loadImm64: Handler = (frame, op) => {
  frame.regs[op.dst] = op.imm64;
  frame.pc++;
};

/** Handlers of plain loads and stores by opcode. */
export const LOAD_STORE_HANDLERS: readonly (readonly [number, Handler])[] = [
  ...Object.entries(WIDTHS).flatMap(([size, width]): [number, Handler][] => [
    [BPF_LDX | BPF_MEM | Number(size), load(width)],
    [BPF_STX | BPF_MEM | Number(size), storeReg(width)],
    [BPF_ST | BPF_MEM | Number(size), storeImm(width)],
    ...(width.bytes < 8 ? [[BPF_LDX | BPF_MEMSX | Number(size), loadSigned(width)] as [number, Handler]] : []),
  ]),
  [BPF_LD | BPF_IMM | BPF_DW, loadImm64],
];
