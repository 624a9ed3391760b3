// `bpfkit asm`: text to instruction bytes.

import { assemble, encodeInsns, toHex } from '../../src/index.ts';
import { checkOutput, fromFile, readBytes, writeBytes } from '../files.ts';

/** Options as the command line gives them. */
export interface AsmCommandOptions { readonly out?: string; readonly json?: boolean }

/** Assembles a file; AsmError lists every complaint with line and column. */
export function asm(file: string, options: AsmCommandOptions): void {
  checkOutput(options.out);
  const text = Buffer.from(readBytes(file)).toString('utf8');
  const { insns } = fromFile(file, () => assemble(text));
  const bytes = encodeInsns(insns);
  if (options.out !== undefined) writeBytes(options.out, bytes);
  else if (options.json === true) process.stdout.write(`${JSON.stringify({ insns: insns.length, hex: toHex(bytes) })}\n`);
  else process.stdout.write(insns.map((_, i) => `${toHex(bytes.subarray(8 * i, 8 * i + 8))}\n`).join(''));
}
