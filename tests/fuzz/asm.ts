// Mutated assembly text and mutated instruction bytes: the assembler and the decoder may complain, but only with their own errors, and soon.
// Invariant: the same seed and count give the same inputs; a failure names the seed and the input's number.

import { assemble } from '../../src/asm/assemble.ts';
import { decodeInsns } from '../../src/insn/decode.ts';
import { basicBlocks } from '../../src/insn/blocks.ts';
import { disasmText } from '../../src/insn/disasm.ts';
import { encodeInsns } from '../../src/insn/encode.ts';
import type { Insn } from '../../src/insn/insn.ts';
import { AsmError, BpfkitError, DecodeError } from '../../src/util/errors.ts';
import { randomInsns } from './random-insn.ts';
import { Random } from './programs/random.ts';

/** What a fuzz run saw. `errors` by class and first words; `slowestMs` for one input. */
export interface FuzzReport { readonly inputs: number; readonly accepted: number; readonly rejected: number; readonly slowestMs: number }

const PIECES = [
  '\n', ' ', ';', ' ; ', ':', ',', '(', ')', '[', ']', '*', '/*', '*/', '//', '#', '"', '<', '>', '=', '+', '-', '0', '0x', '0xffffffffffffffff', '99999999999999999999',
  'r', 'r1', 'r11', 'w3', 'w99', 'll', 'goto', 'gotol', 'if', 'call', 'callx', 'exit', 'lock', 'map', 'map_fd', 'map[', 'map[idx:', 'func', 'subprog[', 'btf_id[', 'pc+', 'pc', 'skb[',
  's>>=', 's/=', '<<=', '+=', '==', 'u64', 's8', 'be16', 'bswap64', 'atomic64_xchg', 'cmpxchg_64', 'load_acquire(', 'store_release(', 'addr_space_cast(', '&(void __percpu *)(r1)',
  '.insn', '.byte', '.8byte', '.section', '.text', '1:', '1b', '1f', 'L0:', 'L0', '(b7)', '(18)', '__proto__', 'constructor', '\u0000', '\u00e9', '\ud800', '\t', '\r\n',
  'bpf_map_lookup_elem#1', 'kernel-function#7', 'unknown#-1', 'kfunc', '_%=',
] as const;

type TextMutation = (text: string, random: Random) => string;
const cut = (text: string, random: Random): [number, number] => {
  const from = random.below(text.length + 1);
  return [from, Math.min(text.length, from + random.below(12))];
};
const TEXT_MUTATIONS: readonly TextMutation[] = [
  (text, random) => {
    const [from, to] = cut(text, random);
    return text.slice(0, from) + text.slice(to);
  },
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
  },
  (text, random) => {
    const [from, to] = cut(text, random);
    return text.slice(0, from) + random.pick(PIECES) + text.slice(to);
  },
  (text, random) => {
    const [from, to] = cut(text, random);
    const at = random.below(text.length + 1);
    return text.slice(0, at) + text.slice(from, to) + text.slice(at);
  },
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
  },
];

function textInput(random: Random): string {
  const dialect = random.chance(50) ? 'llvm' : 'kernel';
  let text = disasmText(randomInsns(random, random.below(8)), { dialect, labels: random.chance(50), opcodePrefix: random.chance(30), numbers: random.chance(30) });
  for (let times = random.below(6); times > 0; times--) text = random.pick(TEXT_MUTATIONS)(text, random);
  return text;
}

function bytesInput(random: Random): Uint8Array {
  if (random.chance(20)) return random.bytes(random.below(100));
  const bytes = encodeInsns(randomInsns(random, random.below(12)));
  for (let times = random.below(5); times > 0 && bytes.length > 0; times--) bytes[random.below(bytes.length)] = random.u32();
  return random.chance(15) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function rereadOf(insns: readonly Insn[]): readonly Insn[] {
  const printed = disasmText(insns, { dialect: 'llvm' });
  try {
    return assemble(printed).insns;
  } catch (error) {
    throw new RangeError(`printed text isn't read back:\n${printed}`, { cause: error });
  }
}

/** Assembles the text; an accepted program must survive being printed and read again. */
function checkText(random: Random): boolean {
  const text = textInput(random);
  try {
    const { insns, lines } = assemble(text);
    if (lines.length !== insns.length) throw new RangeError('a slot without a source line');
    const bytes = encodeInsns(insns);
    // Raw slots and the kernel's own per-CPU move have no words in LLVM's dialect.
    if (/\.insn|\.byte|\.8byte|__percpu/.test(text)) return true;
    const again = encodeInsns(rereadOf(insns));
    if (again.length !== bytes.length || again.some((byte, at) => byte !== bytes[at])) throw new RangeError('the program changed when printed and read again');
    return true;
  } catch (error) {
    if (error instanceof AsmError && error.diagnostics.length > 0) return false;
    throw error;
  }
}

/** Decodes the bytes; what decodes must print in both dialects, fall into blocks, and encode to the same bytes. */
function checkBytes(random: Random): boolean {
  const bytes = bytesInput(random);
  try {
    const insns = decodeInsns(bytes);
    basicBlocks(insns);
    disasmText(insns, { labels: true });
    disasmText(insns, { dialect: 'llvm', labels: true });
    const back = encodeInsns(insns);
    if (back.some((byte, at) => byte !== bytes[at])) throw new RangeError('decoding and encoding changed the bytes');
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** An error that names the input, so that it can be made again. */
const located = (error: unknown, what: string, seed: number, index: number): Error => {
  const kind = error instanceof BpfkitError ? error.name : 'an untyped error';
  return new RangeError(`${what}: input ${index} of seed ${seed} brought ${kind}: ${String(error)}`, { cause: error });
};

function run(what: string, seed: number, count: number, check: (random: Random) => boolean): FuzzReport {
  let accepted = 0;
  let slowestMs = 0;
  for (let index = 0; index < count; index++) {
    const random = new Random(seed * 1_000_003 + index);
    const start = performance.now();
    try {
      if (check(random)) accepted++;
    } catch (error) {
      throw located(error, what, seed, index);
    }
    slowestMs = Math.max(slowestMs, performance.now() - start);
  }
  return { inputs: count, accepted, rejected: count - accepted, slowestMs };
}

/** `count` mutated assembly texts. Throws on anything but a program or an AsmError. */
export const fuzzAsm = (seed: number, count: number): FuzzReport => run('assembly text', seed, count, checkText);

/** `count` mutated instruction streams through decoder and disassemblers. Throws on anything but instructions or a DecodeError. */
export const fuzzInsns = (seed: number, count: number): FuzzReport => run('instruction bytes', seed, count, checkBytes);
