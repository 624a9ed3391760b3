// `bpfkit exec`: raw, unverified instructions in a private memory, for conformance runners and experiments.

import { executors, fromHex, runRaw } from '../../src/index.ts';
import { UsageError } from '../../src/util/errors.ts';
import { readBytes } from '../files.ts';

/** Options as the command line gives them. */
export interface ExecOptions { readonly engine: 'jit' | 'interp'; readonly mem?: string; readonly fuel: string; readonly plugin?: boolean }

/** Reads instructions as hex from stdin, runs them, prints r0 in hex. Throws Fault, UsageError. */
export function exec(memory: string | undefined, options: ExecOptions): void {
  const program = hexBytes('the program on stdin', Buffer.from(readBytes('-')).toString('latin1'));
  const mem = hexBytes('the memory', options.mem ?? memory ?? '');
  if (!/^\d+$/.test(options.fuel)) throw new UsageError(`--fuel takes a number of instructions, not '${options.fuel}'`);
  const { r0 } = runRaw(program, mem, { engine: executors[options.engine], fuel: BigInt(options.fuel) });
  process.stdout.write(`${options.plugin === true ? '' : '0x'}${r0.toString(16)}\n`);
}

function hexBytes(what: string, text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(/0x/g, ''));
  if (bytes === undefined) throw new UsageError(`${what} is not hexadecimal: two digits for each byte are expected`);
  return bytes;
}
