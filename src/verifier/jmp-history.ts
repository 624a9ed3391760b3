// The history of a path: jumps, stack accesses and registers that were narrowed together, for walking it backwards.
// Invariant: entries are never changed once pushed (copies of a state share them); amending the last one replaces it.
// Source: behaviour of push_jmp_history, get_prev_insn_idx and linked_regs_pack, Linux 6.18.

import type { VerifierEnv } from './env.ts';
import type { JmpHistoryEntry, VerifierState } from './verifier-state.ts';

const FRAMENO_MASK = 0x7;
const SPI_MASK = 0x3f;
const SPI_SHIFT = 3;
/** The instruction spilled to or filled from a stack slot (frame and slot are in the flags too). */
export const INSN_F_STACK_ACCESS = 1 << 9;
export const INSN_F_DST_REG_STACK = 1 << 10;
export const INSN_F_SRC_REG_STACK = 1 << 11;

/** Flags of an access to slot `spi` of frame `frameno`. */
export const insnStackAccessFlags = (frameno: number, spi: number): number => INSN_F_STACK_ACCESS | (spi << SPI_SHIFT) | frameno;
/** The slot in such flags. */
export const insnStackAccessSpi = (flags: number): number => (flags >> SPI_SHIFT) & SPI_MASK;
/** The frame in such flags. */
export const insnStackAccessFrameno = (flags: number): number => flags & FRAMENO_MASK;

/** Records the current instruction in the current state's history, or amends its record. */
export function pushJmpHistory(env: VerifierEnv, flags: number, linkedRegs: bigint): void {
  const history = env.state.jmpHistory;
  if (env.curHistEntry) {
    const last = history[history.length - 1] as JmpHistoryEntry;
    history[history.length - 1] = { idx: last.idx, prevIdx: last.prevIdx, flags: last.flags | flags, linkedRegs };
    return;
  }
  history.push({ idx: env.insnIdx, prevIdx: env.prevInsnIdx, flags, linkedRegs });
  env.curHistEntry = true;
}

/** The record of `insnIdx` if it is the last of the first `end` ones. */
export function jmpHistoryEntryAt(state: VerifierState, end: number, insnIdx: number): JmpHistoryEntry | undefined {
  const entry = end > 0 ? state.jmpHistory[end - 1] : undefined;
  return entry !== undefined && entry.idx === insnIdx ? entry : undefined;
}

/** At most this many registers are narrowed together. */
export const LINKED_REGS_MAX = 6;
const ENTRY_BITS = 10n;
const COUNT_BITS = 4n;
const IS_REG = 1 << 9;

/** A register or a spilled slot, packed: frame in bits 0–2, register or slot in 3–8, bit 9 set for a register. */
export const linkedReg = (frameno: number, regOrSpi: number, isReg: boolean): number => frameno | (regOrSpi << SPI_SHIFT) | (isReg ? IS_REG : 0);
export const linkedFrameno = (entry: number): number => entry & FRAMENO_MASK;
export const linkedIndex = (entry: number): number => (entry >> SPI_SHIFT) & SPI_MASK;
export const linkedIsReg = (entry: number): boolean => (entry & IS_REG) !== 0;

/** Packs up to LINKED_REGS_MAX entries into 64 bits. */
export function packLinkedRegs(entries: readonly number[]): bigint {
  let packed = 0n;
  for (const entry of entries) packed = (packed << ENTRY_BITS) | BigInt(entry);
  return (packed << COUNT_BITS) | BigInt(entries.length);
}

/** The entries, last packed first. */
export function unpackLinkedRegs(packed: bigint): number[] {
  const entries: number[] = [];
  let rest = packed >> COUNT_BITS;
  for (let count = Number(packed & 15n); count > 0; count--) {
    entries.push(Number(rest & 1023n));
    rest >>= ENTRY_BITS;
  }
  return entries;
}
