// Runs the cases of tests/isa/*.txt on every executor: programs in the kernel's dialect with what they leave behind.
// A case begins with a line "== name"; then come "key: value" lines and the program. Keys: mem (hex, given in r1, size in r2), r0 (number),
// after (hex: the memory afterwards), fault (kind), fuel (instructions). Text after ';' is a comment, as in the assembler.

import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { encodeInsns } from '../../src/insn/encode.ts';
import { interp } from '../../src/interp/interp.ts';
import { jit } from '../../src/jit/jit.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';
import { defined } from '../../src/util/assert.ts';
import { Fault } from '../../src/util/errors.ts';
import { u64 } from '../../src/util/u64.ts';
import { runRaw } from '../../src/vm/raw-program.ts';
import type { Executor } from '../../src/vm/executor.ts';

interface IsaCase { readonly name: string; readonly keys: ReadonlyMap<string, string>; readonly program: string }

const KEY = /^(mem|r0|after|fault|fuel):(.*)$/;

function parseCase(text: string): IsaCase {
  const [name = '', ...lines] = text.split('\n');
  const keys = lines.map((line) => KEY.exec(line)).filter((match) => match !== null);
  return {
    name: name.trim(),
    keys: new Map(keys.map((match) => [match[1] as string, (match[2] as string).replace(/;.*/, '').trim()])),
    program: lines.filter((line) => !KEY.test(line)).join('\n'),
  };
}

const casesOf = (file: string): IsaCase[] =>
  readFileSync(new URL(file, import.meta.url), 'utf8').split(/^== /m).slice(1).map(parseCase);

const hex = (text: string): Uint8Array => defined(fromHex(text), `hexadecimal in '${text}'`);

function runCase(engine: Executor, { keys, program }: IsaCase): Record<string, string> {
  const memory = hex(keys.get('mem') ?? '');
  const fuel = keys.get('fuel');
  try {
    const { r0, memory: after } = runRaw(encodeInsns(assemble(program).insns), memory, { engine, ...(fuel === undefined ? {} : { fuel: BigInt(fuel) }) });
    return { r0: `0x${r0.toString(16)}`, after: toHex(after) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.kind };
    throw error;
  }
}

function expected({ keys }: IsaCase): Record<string, string> {
  const fault = keys.get('fault');
  if (fault !== undefined) return { fault };
  const after = keys.get('after');
  const r0 = BigInt(defined(keys.get('r0'), 'r0 of a case').replace(/^-/, ''));
  const signed = (keys.get('r0') ?? '').startsWith('-') ? -r0 : r0;
  return { r0: `0x${u64(signed).toString(16)}`, ...(after === undefined ? {} : { after: toHex(hex(after)) }) };
}

const FILES = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.txt')).sort();

describe.each(FILES)('%s', (file) => {
  describe.each<Executor>([interp, jit])('$name', (engine) => {
    it.each(casesOf(file).map((one) => [one.name, one] as const))('%s', (_name, one) => {
      expect(runCase(engine, one)).toMatchObject(expected(one));
    });
  });
});
