// Our two dialects beside the tools they come from: llvm-mc and llvm-objdump, and the running kernel's verifier log.
// Each part skips, saying why, where its tool is missing.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assemble } from '../src/asm/assemble.ts';
import { insnStarts } from '../src/insn/blocks.ts';
import { disasmKernel } from '../src/insn/disasm-kernel.ts';
import { disasmProgram } from '../src/insn/disasm.ts';
import { encodeInsns } from '../src/insn/encode.ts';
import { isBranch, isCall, isExit, isKfuncCall, isLddw } from '../src/insn/fields.ts';
import type { Insn } from '../src/insn/insn.ts';
import { BPF_ATOMIC, BPF_IND, BPF_JA, BPF_JMP32, BPF_LD, BPF_LOAD_ACQ, BPF_STORE_REL, BPF_STX, insnClass, insnMode } from '../src/spec/opcodes.ts';
import { toHex, viewOf } from '../src/util/bytes.ts';
import { Random } from './fuzz/programs/random.ts';
import { INSN_FORMS, randomInsns } from './fuzz/random-insn.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 42);
const find = (...names: string[]): string | undefined => names.map((name) => `/usr/bin/${name}`).find((path) => existsSync(path));
const MC = find('llvm-mc-19');
const OBJDUMP = find('llvm-objdump-19');
const noLlvm = MC === undefined || OBJDUMP === undefined;

/** What LLVM 19 has no words for, or fewer than the instruction needs. */
function llvmKnows(insn: Insn): boolean {
  if (insnClass(insn.code) === BPF_STX && insnMode(insn.code) === BPF_ATOMIC) return insn.imm !== BPF_LOAD_ACQ && insn.imm !== BPF_STORE_REL;
  if (insnClass(insn.code) === BPF_LD && insnMode(insn.code) === BPF_IND) return insn.imm === 0;
  return !((isLddw(insn) || isCall(insn)) && insn.src !== 0);
}

/** Several of each form that LLVM knows, in one list of slots. */
function llvmProgram(random: Random): Insn[] {
  const insns: Insn[] = [];
  for (const form of INSN_FORMS) {
    for (let times = 0; times < 12; times++) {
      const slots = form.make(random);
      if (llvmKnows(slots[0] as Insn)) insns.push(...slots);
    }
  }
  return insns;
}

function inTemp<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'bpfkit-dialects-'));
  try {
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function mc(dir: string, text: string): string {
  const object = join(dir, 'a.o');
  writeFileSync(join(dir, 'a.s'), text);
  execFileSync(MC ?? '', ['-triple', 'bpfel', '-mcpu=v4', '-filetype=obj', join(dir, 'a.s'), '-o', object], { stdio: 'pipe' });
  return object;
}

/** objdump's line by slot: bytes and text. */
function objdump(object: string): Map<number, { bytes: string; text: string }> {
  const out = execFileSync(OBJDUMP ?? '', ['-d', '--mcpu=v4', object], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const lines = new Map<number, { bytes: string; text: string }>();
  for (const match of out.matchAll(/^ *(\d+):\t((?:[0-9a-f]{2} )+[0-9a-f]{2})\t(.*)$/gm)) {
    lines.set(Number(match[1]), { bytes: (match[2] ?? '').replaceAll(' ', ''), text: (match[3] ?? '').replace(/ <\S+>$/, '').trim() });
  }
  return lines;
}

describe.skipIf(noLlvm)(`LLVM's dialect${noLlvm ? ' (skipped: llvm-mc-19 or llvm-objdump-19 is not installed)' : ''}`, () => {
  test(`llvm-objdump prints every form as we do (seed ${SEED})`, () => {
    const insns = llvmProgram(new Random(SEED));
    const view = viewOf(encodeInsns(insns));
    const quads = insns.map((_insn, at) => `.8byte 0x${view.getBigUint64(at * 8, true).toString(16)}`);
    const theirs = inTemp((dir) => objdump(mc(dir, `${quads.join('\n')}\n`)));
    const ours = disasmProgram(insns, { dialect: 'llvm' });
    expect(ours.map((line) => theirs.get(line.at)?.text)).toEqual(ours.map((line) => line.text));
  });

  test(`llvm-mc reads what we print as the bytes we mean (seed ${SEED})`, () => {
    // LLVM 19 reads gotol only up to 16 bits, though it prints 32.
    const insns = llvmProgram(new Random(SEED + 1)).filter((insn) => insn.code !== (BPF_JMP32 | BPF_JA) || Math.abs(insn.imm) < 0x8000);
    const text = disasmProgram(insns, { dialect: 'llvm' }).map((line) => line.text);
    const theirs = inTemp((dir) => objdump(mc(dir, `${text.join('\n')}\n`)));
    const bytes = [...theirs.values()].map((line) => line.bytes).join('');
    expect(bytes).toBe(toHex(encodeInsns(insns)));
  });

  test('we read what objdump prints, columns and all', () => {
    const insns = randomInsns(new Random(SEED + 2), 60).filter((insn) => llvmKnows(insn) && !isLddw(insn) && insn.code !== 0);
    const bytes = encodeInsns(insns);
    const quads = insns.map((_insn, at) => `.8byte 0x${viewOf(bytes).getBigUint64(at * 8, true).toString(16)}`);
    const dump = inTemp((dir) => execFileSync(OBJDUMP ?? '', ['-d', '--mcpu=v4', mc(dir, quads.join('\n'))], { encoding: 'utf8' }));
    const listing = dump.slice(dump.indexOf('0000000000000000 <'));
    expect(toHex(encodeInsns(assemble(listing).insns))).toBe(toHex(bytes));
  });
});

interface Verifier { readonly log: (insns: readonly Insn[]) => string }

/** The running kernel's verifier, or why there is none. */
async function openVerifier(): Promise<Verifier | string> {
  try {
    const { openLinuxKernel } = await import('../linux/index.ts');
    const kernel = await openLinuxKernel();
    const log = (insns: readonly Insn[]): string => {
      const attr = { prog_type: 1, insns: encodeInsns(insns), license: 'GPL', log_level: 2, log_size: 1 << 20 };
      try {
        const { fd, log: text } = kernel.progLoad(attr);
        kernel.close(fd);
        return text;
      } catch (error) {
        return (error as { log?: string }).log ?? '';
      }
    };
    const probe = log(assemble('r0 = 0; exit').insns);
    return probe.includes('(95) exit') ? { log } : `its log is ${JSON.stringify(probe)}`;
  } catch (error) {
    return String(error);
  }
}

const verifier = await openVerifier();
const noKernel = typeof verifier === 'string' ? ` (skipped: no kernel to ask: ${verifier})` : '';

/** Text by slot from log lines such as "3: (b7) r0 = 0      ; R0_w=0". */
function linesOf(log: string): Map<number, string> {
  const lines = new Map<number, string>();
  for (const match of log.matchAll(/^(\d+): (\([0-9a-f]{2}\) .*?)(?: +;.*)?$/gm)) lines.set(Number(match[1]), match[2] ?? '');
  return lines;
}

/** The same jump to the next slot, so that the program stays valid around it. */
function toNext(insn: Insn): Insn {
  if (!isBranch(insn) || isExit(insn)) return insn;
  return insn.code === (BPF_JMP32 | BPF_JA) ? { ...insn, imm: 0 } : { ...insn, off: 0 };
}

describe.skipIf(noKernel !== '')(`the kernel's dialect${noKernel}`, () => {
  const { log } = typeof verifier === 'string' ? { log: () => '' } : verifier;

  /** The form's instruction behind a prologue that lets the verifier come to it: it prints an instruction before it checks it. */
  function checkForm(slots: readonly Insn[]): boolean {
    const prologue = assemble(Array.from({ length: 10 }, (_, reg) => `r${reg} = 1`).join('\n')).insns;
    const epilogue = assemble('r0 = 0; exit').insns;
    const insns = [...prologue, ...slots, ...epilogue];
    const text = linesOf(log(insns)).get(prologue.length);
    if (text === undefined) return false;
    // The kernel names a kfunc from its BTF, whatever function the random id happens to be.
    const kfunc = /call (\S+)#/.exec(text)?.[1] ?? '';
    expect(text).toBe(disasmKernel(slots[0] as Insn, slots[1], { opcodePrefix: true, callName: (call) => (isKfuncCall(call) ? kfunc : undefined) }));
    return true;
  }

  test(`its log prints every form as we do (seed ${SEED})`, () => {
    const random = new Random(SEED);
    let printed = 0;
    const silent = new Set<string>();
    for (const form of INSN_FORMS) {
      for (let times = 0; times < 4; times++) {
        const slots = form.make(random).map(toNext);
        if (checkForm(slots)) printed++;
        else silent.add(form.name);
      }
    }
    console.info(`kernel log: ${printed} instructions compared; never printed (rejected before): ${[...silent].join(', ')}`);
    expect(printed).toBeGreaterThan(INSN_FORMS.length * 2);
  });

  test('a whole log reads back as the program', () => {
    const insns = assemble('r2 = 0x1122334455667788 ll\nif r1 != 0 goto +1\nr0 = 0\n*(u64 *)(r10 -8) = 5\nr0 = *(u8 *)(r10 -8)\nr0 = be16 r0\nw0 s>>= 3\nexit').insns;
    const listing = [...linesOf(log(insns))].sort(([a], [b]) => a - b).map(([at, text]) => `${at}: ${text}`);
    expect(listing).toHaveLength(insnStarts(insns).reduce((sum, one) => sum + one, 0));
    expect(assemble(listing.join('\n')).insns).toEqual(insns);
  });
});
