// `bpfkit disasm`: instruction bytes, or the programs of an object, as text.

import { decodeInsns, disasmText, fromHex, open, type ProgramSpec } from '../../src/index.ts';
import { UsageError } from '../../src/util/errors.ts';
import { fromFile, readBytes } from '../files.ts';

/** Options as the command line gives them. */
export interface DisasmOptions { readonly dialect: 'kernel' | 'llvm'; readonly prog?: string; readonly json?: boolean }

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/** Prints the text of a program given as hex, raw bytes or an ELF object. */
export function disasm(file: string, options: DisasmOptions): void {
  return fromFile(file, () => disasmBytes(readBytes(file), options));
}

function disasmBytes(bytes: Uint8Array, options: DisasmOptions): void {
  if (!ELF_MAGIC.every((byte, i) => bytes[i] === byte)) return print(undefined, disasmText(decodeInsns(rawBytes(bytes)), options), options);
  const programs = open(bytes).programs.filter((prog) => options.prog === undefined || prog.name === options.prog);
  if (programs.length === 0) throw new UsageError(options.prog === undefined ? 'no program in it' : `no program '${options.prog}' in it`);
  for (const prog of programs) print(prog, disasmText(prog.insns, { ...options, numbers: true }), options);
}

/** Hexadecimal text is decoded; anything else is taken as instruction bytes. */
function rawBytes(bytes: Uint8Array): Uint8Array {
  const isText = bytes.every((byte) => byte === 0x0a || byte === 0x0d || byte === 0x20 || byte === 0x09 || (byte >= 0x30 && byte < 0x7b));
  return (isText ? fromHex(Buffer.from(bytes).toString('latin1')) : undefined) ?? bytes;
}

function print(prog: ProgramSpec | undefined, text: string, options: DisasmOptions): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ program: prog?.name ?? null, section: prog?.section ?? null, text: text.split('\n').slice(0, -1) })}\n`);
    return;
  }
  if (prog !== undefined) process.stdout.write(`${prog.name}: (section ${prog.section}, ${prog.insns.length} instructions)\n`);
  process.stdout.write(text);
}
