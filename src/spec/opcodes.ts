// The bits of an instruction: classes, sizes, modes, operations, sources, and the pseudo values of src.
// Source: RFC 9669; uapi/linux/bpf.h and bpf_common.h, Linux 6.18. INSN_TABLE in insn-table.ts says which combinations exist.

// Classes: code & 0x07.
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
/** Classic BPF only; eBPF has BPF_JMP32 there. */
export const BPF_RET = 0x06;
export const BPF_JMP32 = 0x06;
/** Classic BPF only; eBPF has BPF_ALU64 there. */
export const BPF_MISC = 0x07;
export const BPF_ALU64 = 0x07;

// Sizes of loads and stores: code & 0x18.
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_DW = 0x18;

// Modes of loads and stores: code & 0xe0.
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
/** Classic BPF only: packet length. */
export const BPF_LEN = 0x80;
/** Load with sign extension. */
export const BPF_MEMSX = 0x80;
/** Classic BPF only: IP header length. */
export const BPF_MSH = 0xa0;
export const BPF_ATOMIC = 0xc0;
/** BPF_ATOMIC's old name. */
export const BPF_XADD = 0xc0;
// Modes inside the kernel, after its rewrites: accesses that may fault, and arena accesses.
export const BPF_PROBE_MEM = 0x20;
export const BPF_PROBE_MEMSX = 0x40;
export const BPF_PROBE_MEM32 = 0xa0;
export const BPF_PROBE_MEM32SX = 0xc0;
export const BPF_PROBE_ATOMIC = 0xe0;

// Source operand of arithmetic and jumps: code & 0x08.
export const BPF_K = 0x00;
export const BPF_X = 0x08;
/** Classic BPF only: return the accumulator. */
export const BPF_A = 0x10;

// Arithmetic: code & 0xf0. off 1 makes BPF_DIV and BPF_MOD signed; off 8, 16, 32 make BPF_MOV sign-extend.
export const BPF_ADD = 0x00;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
export const BPF_END = 0xd0;
// BPF_END's source bit; in class BPF_ALU64 the swap is unconditional (bswap).
export const BPF_TO_LE = 0x00;
export const BPF_TO_BE = 0x08;
export const BPF_FROM_LE = 0x00;
export const BPF_FROM_BE = 0x08;

// Jumps: code & 0xf0.
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_JNE = 0x50;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
/** Conditional pseudo jump: may_goto when src is BPF_MAY_GOTO. */
export const BPF_JCOND = 0xe0;
export const BPF_MAY_GOTO = 0;
/** The kernel's own rewrite of BPF_CALL of a tail call. */
export const BPF_TAIL_CALL = 0xf0;

// Atomic operations, in imm. BPF_ADD, BPF_OR, BPF_AND, BPF_XOR, with or without BPF_FETCH, and these:
export const BPF_FETCH = 0x01;
export const BPF_XCHG = 0xe1;
export const BPF_CMPXCHG = 0xf1;
export const BPF_LOAD_ACQ = 0x100;
export const BPF_STORE_REL = 0x110;

// src of the 64-bit immediate load (LDDW).
export const BPF_PSEUDO_MAP_FD = 1;
export const BPF_PSEUDO_MAP_VALUE = 2;
export const BPF_PSEUDO_BTF_ID = 3;
export const BPF_PSEUDO_FUNC = 4;
export const BPF_PSEUDO_MAP_IDX = 5;
export const BPF_PSEUDO_MAP_IDX_VALUE = 6;

// src of a call.
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;

// off of a 64-bit register move.
/** Converts between address spaces; imm is dst space << 16 | src space. */
export const BPF_ADDR_SPACE_CAST = 1;
/** The kernel's own rewrite: add this CPU's base address. */
export const BPF_ADDR_PERCPU = -1;

// Registers.
export const BPF_REG_0 = 0;
export const BPF_REG_1 = 1;
export const BPF_REG_2 = 2;
export const BPF_REG_3 = 3;
export const BPF_REG_4 = 4;
export const BPF_REG_5 = 5;
export const BPF_REG_6 = 6;
export const BPF_REG_7 = 7;
export const BPF_REG_8 = 8;
export const BPF_REG_9 = 9;
export const BPF_REG_10 = 10;
/** Read-only frame pointer. */
export const BPF_REG_FP = 10;
/** The kernel's scratch register for rewrites. */
export const BPF_REG_AX = 11;

/** Class of an opcode. */
export const insnClass = (code: number): number => code & 0x07;
/** Size bits of a load or store. */
export const insnSize = (code: number): number => code & 0x18;
/** Mode bits of a load or store. */
export const insnMode = (code: number): number => code & 0xe0;
/** Operation bits of arithmetic or a jump. */
export const insnOp = (code: number): number => code & 0xf0;
/** Source bit of arithmetic or a jump. */
export const insnSrc = (code: number): number => code & 0x08;

/** Bytes that a size (BPF_B, BPF_H, BPF_W, BPF_DW) stands for; 0 for anything else. */
export function sizeBytes(size: number): 0 | 1 | 2 | 4 | 8 {
  if (size === BPF_W) return 4;
  if (size === BPF_H) return 2;
  if (size === BPF_B) return 1;
  return size === BPF_DW ? 8 : 0;
}
