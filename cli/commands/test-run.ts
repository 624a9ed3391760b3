// `bpfkit test-run`: BPF_PROG_TEST_RUN on either kernel.

import { loadObject, open } from '../../src/index.ts';
import { UsageError } from '../../src/util/errors.ts';
import { checkOutput, fromFile, readBytes, wholeNumber, writeBytes } from '../files.ts';
import { kernelBtf, openKernel } from '../kernel.ts';

/** Options as the command line gives them. */
export interface TestRunOptions {
  readonly prog: string;
  readonly dataIn?: string;
  readonly dataOut?: string;
  readonly ctxIn?: string;
  readonly ctxOut?: string;
  readonly repeat: string;
  readonly engine: 'jit' | 'interp';
  readonly btf?: string;
  readonly json?: boolean;
  readonly host?: boolean;
}

const DATA_OUT_BYTES = 128 * 1024;
const CTX_OUT_BYTES = 256;

/** Runs one program once or `--repeat` times and writes back what it left. */
export async function testRun(object: string, options: TestRunOptions): Promise<void> {
  const repeat = wholeNumber('--repeat', options.repeat, 1, 0x7fff_ffff);
  checkOutput(options.dataOut);
  checkOutput(options.ctxOut);
  if (options.dataOut === '-' && options.ctxOut === '-') throw new UsageError('--data-out and --ctx-out cannot both go to stdout');
  const spec = fromFile(object, () => open(readBytes(object), { name: object }));
  const dataIn = options.dataIn === undefined ? undefined : readBytes(options.dataIn);
  const ctxIn = options.ctxIn === undefined ? undefined : readBytes(options.ctxIn);
  const kernel = await openKernel(options.host === true, { engine: options.engine });
  const loaded = loadObject(spec, kernel, { programs: [options.prog], kernelBtf: kernelBtf(options.btf) });
  try {
    const dataOut = options.dataOut === undefined ? undefined : new Uint8Array(DATA_OUT_BYTES);
    const ctxOut = options.ctxOut === undefined ? undefined : new Uint8Array(CTX_OUT_BYTES);
    const result = kernel.progTestRun({
      prog_fd: loaded.progs.get(options.prog)?.fd ?? -1, repeat,
      ...(dataIn === undefined ? {} : { data_in: dataIn }), ...(dataOut === undefined ? {} : { data_out: dataOut }),
      ...(ctxIn === undefined ? {} : { ctx_in: ctxIn }), ...(ctxOut === undefined ? {} : { ctx_out: ctxOut }),
    });
    if (dataOut !== undefined) writeBytes(options.dataOut as string, dataOut.subarray(0, result.data_size_out));
    if (ctxOut !== undefined) writeBytes(options.ctxOut as string, ctxOut.subarray(0, result.ctx_size_out));
    const { duration, ...rest } = result;
    const answer = { retval: rest.retval, duration_ns: duration, data_size_out: rest.data_size_out, ctx_size_out: rest.ctx_size_out };
    const out = options.dataOut === '-' || options.ctxOut === '-' ? process.stderr : process.stdout;
    out.write(options.json === true ? `${JSON.stringify(answer)}\n` : `retval ${answer.retval} (0x${answer.retval.toString(16)}), ${answer.duration_ns} ns, packet ${answer.data_size_out} bytes\n`);
  } finally {
    loaded.close();
  }
}
