// One row per instruction: which fields it uses and with which values, where it comes from, how the kernel prints it.
// Invariant: a slot is an instruction of this table when its opcode and every fixed field of exactly one row match; a field that a row
// fixes to a number must hold that number, a field that it names is free. Registers are 0 … 10.
// Source: RFC 9669 (sections 4 and 5, appendix A for the conformance groups) and, for what came later, Linux 6.18 and LLVM's BPF back end.

import type { KernelVersion } from './versions.ts';

/** RFC 9669's conformance groups; 'linux' for what the RFC doesn't have. base64 includes base32, and so on for the other pairs. */
export type ConformanceGroup = 'base32' | 'base64' | 'atomic32' | 'atomic64' | 'divmul32' | 'divmul64' | 'packet' | 'linux';

/** The fields of one slot, as numbers. */
export interface InsnFields { readonly code: number; readonly dst: number; readonly src: number; readonly off: number; readonly imm: number }

/** An instruction. */
export interface InsnRow {
  /** In uapi's words: the opcode, then the other fields that tell it apart. Unique. */
  readonly name: string;
  /** Opcode byte. */
  readonly code: number;
  /** 'reg': any of r0 … r10 (a destination may not be r10: that is the verifier's business, not the encoding's). */
  readonly dst: 'reg' | 0;
  /** 'reg', or the number that the field must hold (BPF_PSEUDO_* where the opcode has several meanings). */
  readonly src: 'reg' | number;
  /** 'off': a signed 16-bit offset in bytes or slots. */
  readonly off: 'off' | number;
  /** 'imm': any signed 32 bits; with two slots, the low half, the next slot's imm the high half. */
  readonly imm: 'imm' | number;
  readonly slots: 1 | 2;
  readonly group: ConformanceGroup;
  /** First kernel that takes it. */
  readonly since: KernelVersion;
  /** First -mcpu=vN of clang that emits it. */
  readonly cpu: 1 | 2 | 3 | 4;
  /** How the kernel prints it: {dst}, {src}, {off} with its sign, {imm} signed decimal, {imm.hex} as in jumps, {imm.hi} and {imm.lo} its 16-bit halves. */
  readonly syntax: string;
}

/** Every instruction that a loader may send. */
export const INSN_TABLE: readonly InsnRow[] = [
  { name: 'BPF_ALU | BPF_ADD | BPF_K', code: 0x04, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} += {imm}' },
  { name: 'BPF_ALU | BPF_ADD | BPF_X', code: 0x0c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} += w{src}' },
  { name: 'BPF_ALU | BPF_SUB | BPF_K', code: 0x14, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} -= {imm}' },
  { name: 'BPF_ALU | BPF_SUB | BPF_X', code: 0x1c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} -= w{src}' },
  { name: 'BPF_ALU | BPF_MUL | BPF_K', code: 0x24, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} *= {imm}' },
  { name: 'BPF_ALU | BPF_MUL | BPF_X', code: 0x2c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} *= w{src}' },
  { name: 'BPF_ALU | BPF_DIV | BPF_K', code: 0x34, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} /= {imm}' },
  { name: 'BPF_ALU | BPF_DIV | BPF_X', code: 0x3c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} /= w{src}' },
  { name: 'BPF_ALU | BPF_DIV | BPF_K, off 1', code: 0x34, dst: 'reg', src: 0, off: 1, imm: 'imm', slots: 1, group: 'divmul32', since: 6006, cpu: 4, syntax: 'w{dst} s/= {imm}' },
  { name: 'BPF_ALU | BPF_DIV | BPF_X, off 1', code: 0x3c, dst: 'reg', src: 'reg', off: 1, imm: 0, slots: 1, group: 'divmul32', since: 6006, cpu: 4, syntax: 'w{dst} s/= w{src}' },
  { name: 'BPF_ALU | BPF_OR | BPF_K', code: 0x44, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} |= {imm}' },
  { name: 'BPF_ALU | BPF_OR | BPF_X', code: 0x4c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} |= w{src}' },
  { name: 'BPF_ALU | BPF_AND | BPF_K', code: 0x54, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} &= {imm}' },
  { name: 'BPF_ALU | BPF_AND | BPF_X', code: 0x5c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} &= w{src}' },
  { name: 'BPF_ALU | BPF_LSH | BPF_K', code: 0x64, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} <<= {imm}' },
  { name: 'BPF_ALU | BPF_LSH | BPF_X', code: 0x6c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} <<= w{src}' },
  { name: 'BPF_ALU | BPF_RSH | BPF_K', code: 0x74, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} >>= {imm}' },
  { name: 'BPF_ALU | BPF_RSH | BPF_X', code: 0x7c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} >>= w{src}' },
  { name: 'BPF_ALU | BPF_MOD | BPF_K', code: 0x94, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} %= {imm}' },
  { name: 'BPF_ALU | BPF_MOD | BPF_X', code: 0x9c, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul32', since: 3018, cpu: 1, syntax: 'w{dst} %= w{src}' },
  { name: 'BPF_ALU | BPF_MOD | BPF_K, off 1', code: 0x94, dst: 'reg', src: 0, off: 1, imm: 'imm', slots: 1, group: 'divmul32', since: 6006, cpu: 4, syntax: 'w{dst} s%= {imm}' },
  { name: 'BPF_ALU | BPF_MOD | BPF_X, off 1', code: 0x9c, dst: 'reg', src: 'reg', off: 1, imm: 0, slots: 1, group: 'divmul32', since: 6006, cpu: 4, syntax: 'w{dst} s%= w{src}' },
  { name: 'BPF_ALU | BPF_XOR | BPF_K', code: 0xa4, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} ^= {imm}' },
  { name: 'BPF_ALU | BPF_XOR | BPF_X', code: 0xac, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} ^= w{src}' },
  { name: 'BPF_ALU | BPF_MOV | BPF_K', code: 0xb4, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} = {imm}' },
  { name: 'BPF_ALU | BPF_MOV | BPF_X', code: 0xbc, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} = w{src}' },
  { name: 'BPF_ALU | BPF_MOV | BPF_X, off 8', code: 0xbc, dst: 'reg', src: 'reg', off: 8, imm: 0, slots: 1, group: 'base32', since: 6006, cpu: 4, syntax: 'w{dst} = (s8)w{src}' },
  { name: 'BPF_ALU | BPF_MOV | BPF_X, off 16', code: 0xbc, dst: 'reg', src: 'reg', off: 16, imm: 0, slots: 1, group: 'base32', since: 6006, cpu: 4, syntax: 'w{dst} = (s16)w{src}' },
  { name: 'BPF_ALU | BPF_ARSH | BPF_K', code: 0xc4, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} s>>= {imm}' },
  { name: 'BPF_ALU | BPF_ARSH | BPF_X', code: 0xcc, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} s>>= w{src}' },
  { name: 'BPF_ALU | BPF_NEG | BPF_K', code: 0x84, dst: 'reg', src: 0, off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'w{dst} = -w{dst}' },
  { name: 'BPF_ALU64 | BPF_ADD | BPF_K', code: 0x07, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} += {imm}' },
  { name: 'BPF_ALU64 | BPF_ADD | BPF_X', code: 0x0f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} += r{src}' },
  { name: 'BPF_ALU64 | BPF_SUB | BPF_K', code: 0x17, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} -= {imm}' },
  { name: 'BPF_ALU64 | BPF_SUB | BPF_X', code: 0x1f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} -= r{src}' },
  { name: 'BPF_ALU64 | BPF_MUL | BPF_K', code: 0x27, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} *= {imm}' },
  { name: 'BPF_ALU64 | BPF_MUL | BPF_X', code: 0x2f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} *= r{src}' },
  { name: 'BPF_ALU64 | BPF_DIV | BPF_K', code: 0x37, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} /= {imm}' },
  { name: 'BPF_ALU64 | BPF_DIV | BPF_X', code: 0x3f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} /= r{src}' },
  { name: 'BPF_ALU64 | BPF_DIV | BPF_K, off 1', code: 0x37, dst: 'reg', src: 0, off: 1, imm: 'imm', slots: 1, group: 'divmul64', since: 6006, cpu: 4, syntax: 'r{dst} s/= {imm}' },
  { name: 'BPF_ALU64 | BPF_DIV | BPF_X, off 1', code: 0x3f, dst: 'reg', src: 'reg', off: 1, imm: 0, slots: 1, group: 'divmul64', since: 6006, cpu: 4, syntax: 'r{dst} s/= r{src}' },
  { name: 'BPF_ALU64 | BPF_OR | BPF_K', code: 0x47, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} |= {imm}' },
  { name: 'BPF_ALU64 | BPF_OR | BPF_X', code: 0x4f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} |= r{src}' },
  { name: 'BPF_ALU64 | BPF_AND | BPF_K', code: 0x57, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} &= {imm}' },
  { name: 'BPF_ALU64 | BPF_AND | BPF_X', code: 0x5f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} &= r{src}' },
  { name: 'BPF_ALU64 | BPF_LSH | BPF_K', code: 0x67, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} <<= {imm}' },
  { name: 'BPF_ALU64 | BPF_LSH | BPF_X', code: 0x6f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} <<= r{src}' },
  { name: 'BPF_ALU64 | BPF_RSH | BPF_K', code: 0x77, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} >>= {imm}' },
  { name: 'BPF_ALU64 | BPF_RSH | BPF_X', code: 0x7f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} >>= r{src}' },
  { name: 'BPF_ALU64 | BPF_MOD | BPF_K', code: 0x97, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} %= {imm}' },
  { name: 'BPF_ALU64 | BPF_MOD | BPF_X', code: 0x9f, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'divmul64', since: 3018, cpu: 1, syntax: 'r{dst} %= r{src}' },
  { name: 'BPF_ALU64 | BPF_MOD | BPF_K, off 1', code: 0x97, dst: 'reg', src: 0, off: 1, imm: 'imm', slots: 1, group: 'divmul64', since: 6006, cpu: 4, syntax: 'r{dst} s%= {imm}' },
  { name: 'BPF_ALU64 | BPF_MOD | BPF_X, off 1', code: 0x9f, dst: 'reg', src: 'reg', off: 1, imm: 0, slots: 1, group: 'divmul64', since: 6006, cpu: 4, syntax: 'r{dst} s%= r{src}' },
  { name: 'BPF_ALU64 | BPF_XOR | BPF_K', code: 0xa7, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} ^= {imm}' },
  { name: 'BPF_ALU64 | BPF_XOR | BPF_X', code: 0xaf, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} ^= r{src}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_K', code: 0xb7, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = {imm}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_X', code: 0xbf, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = r{src}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_X, off 8', code: 0xbf, dst: 'reg', src: 'reg', off: 8, imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = (s8)r{src}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_X, off 16', code: 0xbf, dst: 'reg', src: 'reg', off: 16, imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = (s16)r{src}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_X, off 32', code: 0xbf, dst: 'reg', src: 'reg', off: 32, imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = (s32)r{src}' },
  { name: 'BPF_ALU64 | BPF_ARSH | BPF_K', code: 0xc7, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} s>>= {imm}' },
  { name: 'BPF_ALU64 | BPF_ARSH | BPF_X', code: 0xcf, dst: 'reg', src: 'reg', off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} s>>= r{src}' },
  { name: 'BPF_ALU64 | BPF_NEG | BPF_K', code: 0x87, dst: 'reg', src: 0, off: 0, imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = -r{dst}' },
  { name: 'BPF_ALU64 | BPF_MOV | BPF_X, off BPF_ADDR_SPACE_CAST', code: 0xbf, dst: 'reg', src: 'reg', off: 1, imm: 'imm', slots: 1, group: 'linux', since: 6009, cpu: 1, syntax: 'r{dst} = addr_space_cast(r{src}, {imm.hi}, {imm.lo})' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_LE, imm 16', code: 0xd4, dst: 'reg', src: 0, off: 0, imm: 16, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = le16 r{dst}' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_LE, imm 32', code: 0xd4, dst: 'reg', src: 0, off: 0, imm: 32, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = le32 r{dst}' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_LE, imm 64', code: 0xd4, dst: 'reg', src: 0, off: 0, imm: 64, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = le64 r{dst}' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_BE, imm 16', code: 0xdc, dst: 'reg', src: 0, off: 0, imm: 16, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = be16 r{dst}' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_BE, imm 32', code: 0xdc, dst: 'reg', src: 0, off: 0, imm: 32, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = be32 r{dst}' },
  { name: 'BPF_ALU | BPF_END | BPF_TO_BE, imm 64', code: 0xdc, dst: 'reg', src: 0, off: 0, imm: 64, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = be64 r{dst}' },
  { name: 'BPF_ALU64 | BPF_END, imm 16', code: 0xd7, dst: 'reg', src: 0, off: 0, imm: 16, slots: 1, group: 'base32', since: 6006, cpu: 4, syntax: 'r{dst} = bswap16 r{dst}' },
  { name: 'BPF_ALU64 | BPF_END, imm 32', code: 0xd7, dst: 'reg', src: 0, off: 0, imm: 32, slots: 1, group: 'base32', since: 6006, cpu: 4, syntax: 'r{dst} = bswap32 r{dst}' },
  { name: 'BPF_ALU64 | BPF_END, imm 64', code: 0xd7, dst: 'reg', src: 0, off: 0, imm: 64, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = bswap64 r{dst}' },
  { name: 'BPF_JMP | BPF_JA', code: 0x05, dst: 0, src: 0, off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JA', code: 0x06, dst: 0, src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 6006, cpu: 4, syntax: 'gotol pc{imm}' },
  { name: 'BPF_JMP | BPF_JEQ | BPF_K', code: 0x15, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} == {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JEQ | BPF_X', code: 0x1d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} == r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JGT | BPF_K', code: 0x25, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} > {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JGT | BPF_X', code: 0x2d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} > r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JGE | BPF_K', code: 0x35, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} >= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JGE | BPF_X', code: 0x3d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} >= r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSET | BPF_K', code: 0x45, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} & {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSET | BPF_X', code: 0x4d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} & r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JNE | BPF_K', code: 0x55, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} != {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JNE | BPF_X', code: 0x5d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} != r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSGT | BPF_K', code: 0x65, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} s> {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSGT | BPF_X', code: 0x6d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} s> r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSGE | BPF_K', code: 0x75, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} s>= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSGE | BPF_X', code: 0x7d, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'if r{dst} s>= r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JLT | BPF_K', code: 0xa5, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} < {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JLT | BPF_X', code: 0xad, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} < r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JLE | BPF_K', code: 0xb5, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} <= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JLE | BPF_X', code: 0xbd, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} <= r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSLT | BPF_K', code: 0xc5, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} s< {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSLT | BPF_X', code: 0xcd, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} s< r{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSLE | BPF_K', code: 0xd5, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} s<= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP | BPF_JSLE | BPF_X', code: 0xdd, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 4014, cpu: 2, syntax: 'if r{dst} s<= r{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JEQ | BPF_K', code: 0x16, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} == {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JEQ | BPF_X', code: 0x1e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} == w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JGT | BPF_K', code: 0x26, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} > {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JGT | BPF_X', code: 0x2e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} > w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JGE | BPF_K', code: 0x36, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} >= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JGE | BPF_X', code: 0x3e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} >= w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSET | BPF_K', code: 0x46, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} & {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSET | BPF_X', code: 0x4e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} & w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JNE | BPF_K', code: 0x56, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} != {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JNE | BPF_X', code: 0x5e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} != w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSGT | BPF_K', code: 0x66, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s> {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSGT | BPF_X', code: 0x6e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s> w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSGE | BPF_K', code: 0x76, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s>= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSGE | BPF_X', code: 0x7e, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s>= w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JLT | BPF_K', code: 0xa6, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} < {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JLT | BPF_X', code: 0xae, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} < w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JLE | BPF_K', code: 0xb6, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} <= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JLE | BPF_X', code: 0xbe, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} <= w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSLT | BPF_K', code: 0xc6, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s< {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSLT | BPF_X', code: 0xce, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s< w{src} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSLE | BPF_K', code: 0xd6, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s<= {imm.hex} goto pc{off}' },
  { name: 'BPF_JMP32 | BPF_JSLE | BPF_X', code: 0xde, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 5001, cpu: 3, syntax: 'if w{dst} s<= w{src} goto pc{off}' },
  { name: 'BPF_JMP | BPF_CALL', code: 0x85, dst: 0, src: 0, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'call {helper}#{imm}' },
  { name: 'BPF_JMP | BPF_CALL, src BPF_PSEUDO_CALL', code: 0x85, dst: 0, src: 1, off: 0, imm: 'imm', slots: 1, group: 'base32', since: 4016, cpu: 1, syntax: 'call pc{imm}' },
  { name: 'BPF_JMP | BPF_CALL, src BPF_PSEUDO_KFUNC_CALL', code: 0x85, dst: 0, src: 2, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 5013, cpu: 1, syntax: 'call kernel-function#{imm}' },
  { name: 'BPF_JMP | BPF_EXIT', code: 0x95, dst: 0, src: 0, off: 0, imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'exit' },
  { name: 'BPF_JMP | BPF_JCOND, src BPF_MAY_GOTO', code: 0xe5, dst: 0, src: 0, off: 'off', imm: 0, slots: 1, group: 'linux', since: 6009, cpu: 4, syntax: 'may_goto pc{off}' },
  { name: 'BPF_LDX | BPF_MEM | BPF_B', code: 0x71, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = *(u8 *)(r{src} {off})' },
  { name: 'BPF_LDX | BPF_MEMSX | BPF_B', code: 0x91, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = *(s8 *)(r{src} {off})' },
  { name: 'BPF_ST | BPF_MEM | BPF_B', code: 0x72, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u8 *)(r{dst} {off}) = {imm}' },
  { name: 'BPF_STX | BPF_MEM | BPF_B', code: 0x73, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u8 *)(r{dst} {off}) = r{src}' },
  { name: 'BPF_LDX | BPF_MEM | BPF_H', code: 0x69, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = *(u16 *)(r{src} {off})' },
  { name: 'BPF_LDX | BPF_MEMSX | BPF_H', code: 0x89, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = *(s16 *)(r{src} {off})' },
  { name: 'BPF_ST | BPF_MEM | BPF_H', code: 0x6a, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u16 *)(r{dst} {off}) = {imm}' },
  { name: 'BPF_STX | BPF_MEM | BPF_H', code: 0x6b, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u16 *)(r{dst} {off}) = r{src}' },
  { name: 'BPF_LDX | BPF_MEM | BPF_W', code: 0x61, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: 'r{dst} = *(u32 *)(r{src} {off})' },
  { name: 'BPF_LDX | BPF_MEMSX | BPF_W', code: 0x81, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 6006, cpu: 4, syntax: 'r{dst} = *(s32 *)(r{src} {off})' },
  { name: 'BPF_ST | BPF_MEM | BPF_W', code: 0x62, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u32 *)(r{dst} {off}) = {imm}' },
  { name: 'BPF_STX | BPF_MEM | BPF_W', code: 0x63, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base32', since: 3018, cpu: 1, syntax: '*(u32 *)(r{dst} {off}) = r{src}' },
  { name: 'BPF_LDX | BPF_MEM | BPF_DW', code: 0x79, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = *(u64 *)(r{src} {off})' },
  { name: 'BPF_ST | BPF_MEM | BPF_DW', code: 0x7a, dst: 'reg', src: 0, off: 'off', imm: 'imm', slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: '*(u64 *)(r{dst} {off}) = {imm}' },
  { name: 'BPF_STX | BPF_MEM | BPF_DW', code: 0x7b, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'base64', since: 3018, cpu: 1, syntax: '*(u64 *)(r{dst} {off}) = r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_ADD', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'atomic32', since: 3018, cpu: 1, syntax: 'lock *(u32 *)(r{dst} {off}) += r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_ADD | BPF_FETCH', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 1, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r{src} = atomic_fetch_add((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_OR', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 64, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'lock *(u32 *)(r{dst} {off}) |= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_OR | BPF_FETCH', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0x41, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r{src} = atomic_fetch_or((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_AND', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0x50, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'lock *(u32 *)(r{dst} {off}) &= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_AND | BPF_FETCH', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0x51, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r{src} = atomic_fetch_and((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_XOR', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0xa0, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'lock *(u32 *)(r{dst} {off}) ^= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_XOR | BPF_FETCH', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0xa1, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r{src} = atomic_fetch_xor((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_XCHG', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0xe1, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r{src} = atomic_xchg((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_CMPXCHG', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0xf1, slots: 1, group: 'atomic32', since: 5012, cpu: 3, syntax: 'r0 = atomic_cmpxchg((u32 *)(r{dst} {off}), r0, r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_ADD', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0, slots: 1, group: 'atomic64', since: 3018, cpu: 1, syntax: 'lock *(u64 *)(r{dst} {off}) += r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_ADD | BPF_FETCH', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 1, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r{src} = atomic64_fetch_add((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_OR', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 64, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'lock *(u64 *)(r{dst} {off}) |= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_OR | BPF_FETCH', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0x41, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r{src} = atomic64_fetch_or((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_AND', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0x50, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'lock *(u64 *)(r{dst} {off}) &= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_AND | BPF_FETCH', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0x51, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r{src} = atomic64_fetch_and((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_XOR', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0xa0, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'lock *(u64 *)(r{dst} {off}) ^= r{src}' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_XOR | BPF_FETCH', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0xa1, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r{src} = atomic64_fetch_xor((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_XCHG', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0xe1, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r{src} = atomic64_xchg((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_CMPXCHG', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0xf1, slots: 1, group: 'atomic64', since: 5012, cpu: 3, syntax: 'r0 = atomic64_cmpxchg((u64 *)(r{dst} {off}), r0, r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_B, imm BPF_LOAD_ACQ', code: 0xd3, dst: 'reg', src: 'reg', off: 'off', imm: 0x100, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'r{dst} = load_acquire((u8 *)(r{src} {off}))' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_B, imm BPF_STORE_REL', code: 0xd3, dst: 'reg', src: 'reg', off: 'off', imm: 0x110, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'store_release((u8 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_H, imm BPF_LOAD_ACQ', code: 0xcb, dst: 'reg', src: 'reg', off: 'off', imm: 0x100, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'r{dst} = load_acquire((u16 *)(r{src} {off}))' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_H, imm BPF_STORE_REL', code: 0xcb, dst: 'reg', src: 'reg', off: 'off', imm: 0x110, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'store_release((u16 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_LOAD_ACQ', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0x100, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'r{dst} = load_acquire((u32 *)(r{src} {off}))' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_W, imm BPF_STORE_REL', code: 0xc3, dst: 'reg', src: 'reg', off: 'off', imm: 0x110, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'store_release((u32 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_LOAD_ACQ', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0x100, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'r{dst} = load_acquire((u64 *)(r{src} {off}))' },
  { name: 'BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_STORE_REL', code: 0xdb, dst: 'reg', src: 'reg', off: 'off', imm: 0x110, slots: 1, group: 'linux', since: 6015, cpu: 4, syntax: 'store_release((u64 *)(r{dst} {off}), r{src})' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW', code: 0x18, dst: 'reg', src: 0, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_MAP_FD', code: 0x18, dst: 'reg', src: 1, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 3018, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_MAP_VALUE', code: 0x18, dst: 'reg', src: 2, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 5002, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_BTF_ID', code: 0x18, dst: 'reg', src: 3, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 5010, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_FUNC', code: 0x18, dst: 'reg', src: 4, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 5013, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_MAP_IDX', code: 0x18, dst: 'reg', src: 5, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 5014, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_IMM | BPF_DW, src BPF_PSEUDO_MAP_IDX_VALUE', code: 0x18, dst: 'reg', src: 6, off: 0, imm: 'imm', slots: 2, group: 'base64', since: 5014, cpu: 1, syntax: 'r{dst} = {imm64}' },
  { name: 'BPF_LD | BPF_ABS | BPF_B', code: 0x30, dst: 0, src: 0, off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u8 *)skb[{imm}]' },
  { name: 'BPF_LD | BPF_IND | BPF_B', code: 0x50, dst: 0, src: 'reg', off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u8 *)skb[r{src} + {imm}]' },
  { name: 'BPF_LD | BPF_ABS | BPF_H', code: 0x28, dst: 0, src: 0, off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u16 *)skb[{imm}]' },
  { name: 'BPF_LD | BPF_IND | BPF_H', code: 0x48, dst: 0, src: 'reg', off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u16 *)skb[r{src} + {imm}]' },
  { name: 'BPF_LD | BPF_ABS | BPF_W', code: 0x20, dst: 0, src: 0, off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u32 *)skb[{imm}]' },
  { name: 'BPF_LD | BPF_IND | BPF_W', code: 0x40, dst: 0, src: 'reg', off: 0, imm: 'imm', slots: 1, group: 'packet', since: 3019, cpu: 1, syntax: 'r0 = *(u32 *)skb[r{src} + {imm}]' },
];

const BY_CODE = new Map<number, InsnRow[]>();
for (const row of INSN_TABLE) {
  const rows = BY_CODE.get(row.code);
  if (rows === undefined) BY_CODE.set(row.code, [row]);
  else rows.push(row);
}

const fits = (rule: string | number, value: number): boolean => typeof rule === 'string' || rule === value;

/** The rows that share an opcode byte; empty for opcodes that don't exist. */
export const insnRowsOf = (code: number): readonly InsnRow[] => BY_CODE.get(code) ?? [];

/** The row that a slot is an instance of, or undefined when it is no instruction (reserved fields included). */
export function insnRowOf(insn: InsnFields): InsnRow | undefined {
  return insnRowsOf(insn.code).find(
    (row) =>
      insn.dst <= 10 && insn.src <= 10 && fits(row.dst, insn.dst) && fits(row.src, insn.src) && fits(row.off, insn.off) && fits(row.imm, insn.imm),
  );
}
