// Which of the 256 opcodes exist: those of the instruction table.
// Source: src/spec/insn-table.ts; the kernel rejects others with "unknown opcode".

import { INSN_TABLE } from '../spec/insn-table.ts';

const known: ReadonlySet<number> = new Set(INSN_TABLE.map((row) => row.code));

/** Whether an instruction has this opcode (0–255). */
export const isKnownOpcode = (code: number): boolean => known.has(code);
