// `bpfkit verify`: each program of an object on its own, through the bpf() seam, so that the simulated and the real kernel are asked alike.
// Invariant: "reject" is said only when a verifier decided; everything else that fails is "error".

import { BPF_LOG_LEVEL1, BPF_LOG_LEVEL2, BPF_LOG_STATS, BpfSyscallError, ENOSPC, LoadError, NotSupportedError, ObjectLoader, open, parseCaps, parseKernelVersion, progTypeName, type BpfSyscall, type ProgramSpec } from '../../src/index.ts';
import { UsageError } from '../../src/util/errors.ts';
import { fromFile, readBytes, wholeNumber } from '../files.ts';
import { kernelBtf, openKernel } from '../kernel.ts';
import { logStats, verdictMessage, type LogStats } from '../log-stats.ts';

/** Options as the command line gives them. */
export interface VerifyOptions {
  readonly prog: readonly string[];
  readonly btf?: string;
  readonly kernel: string;
  readonly caps?: string;
  readonly unpriv?: boolean;
  readonly logLevel: string;
  readonly json?: boolean;
  readonly host?: boolean;
}

/** What is said of one program. */
export interface Answer extends LogStats {
  readonly verdict: 'accept' | 'reject' | 'error';
  readonly errno: number;
  readonly message: string;
  readonly log: string;
}

/** Verifies the programs and prints a line for each; exit code 1 when one was rejected, 2 when there was no verdict. */
export async function verify(object: string, options: VerifyOptions): Promise<void> {
  const logLevel = wholeNumber('--log-level', options.logLevel, 0, 15);
  const kernel = parseKernelVersion(options.kernel);
  const caps = parseCaps(options.unpriv === true ? 'none' : (options.caps ?? 'all'));
  const spec = fromFile(object, () => open(readBytes(object), { name: object }));
  const programs = selected(spec.programs, options.prog);
  const syscall = await openKernel(options.host === true, { kernel, caps });
  const types = kernelBtf(options.btf);
  const answers: Answer['verdict'][] = [];
  for (const prog of programs) {
    const answer = ask(new ObjectLoader(spec, syscall, { kernelBtf: types }), syscall, prog, logLevel);
    answers.push(answer.verdict);
    process.stdout.write(options.json === true ? jsonLine(object, prog, answer, logLevel) : textLines(prog, answer, logLevel));
  }
  process.exitCode = answers.includes('reject') ? 1 : answers.includes('error') ? 2 : 0;
}

function selected(programs: readonly ProgramSpec[], names: readonly string[]): readonly ProgramSpec[] {
  if (programs.length === 0) throw new UsageError('no program in the object');
  if (names.length === 0) return programs;
  return names.map((name) => {
    const prog = programs.find((each) => each.name === name);
    if (prog === undefined) throw new UsageError(`no program '${name}' in the object; there are: ${programs.map((each) => each.name).join(', ')}`);
    return prog;
  });
}

/** One program in, one answer out; everything the loader made is closed again. */
function ask(loader: ObjectLoader, syscall: BpfSyscall, prog: ProgramSpec, logLevel: number): Answer {
  try {
    const attr = loader.progLoadAttr(prog);
    return load(syscall, attr, logLevel);
  } catch (error) {
    if (error instanceof LoadError || error instanceof NotSupportedError || error instanceof BpfSyscallError) {
      return { verdict: 'error', errno: error instanceof BpfSyscallError ? error.errno : 0, message: error.message, log: '' };
    }
    throw error;
  } finally {
    loader.close();
  }
}

/** Asks without a log first, as most programs pass; a reject is asked again for its message. */
function load(syscall: BpfSyscall, attr: ReturnType<ObjectLoader['progLoadAttr']>, logLevel: number): Answer {
  const started = process.hrtime.bigint();
  try {
    const { fd, log } = syscall.progLoad({ ...attr, log_level: logLevel | BPF_LOG_STATS });
    syscall.close(fd);
    return { verdict: 'accept', errno: 0, message: '', log, ...timed(logStats(log), started) };
  } catch (error) {
    if (!(error instanceof BpfSyscallError)) throw error;
    const time = timed(logStats(error.log), started);
    return { ...time, ...rejected(syscall, attr, logLevel, error) };
  }
}

function rejected(syscall: BpfSyscall, attr: ReturnType<ObjectLoader['progLoadAttr']>, logLevel: number, first: BpfSyscallError): Answer {
  return judge(first, (logLevel & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)) === 0 ? logOf(syscall, attr, first).log : first.log);
}

/** What a refused load means. The verifier decided if it left a log, unless that log was too long: ENOSPC then stands in place of its verdict. */
export function judge(refused: BpfSyscallError, log: string): Answer {
  const { errno } = refused;
  if (log === '' || errno === ENOSPC) return { verdict: 'error', errno, message: refused.message, log };
  return { verdict: 'reject', errno, message: verdictMessage(log), log };
}

function logOf(syscall: BpfSyscall, attr: ReturnType<ObjectLoader['progLoadAttr']>, first: BpfSyscallError): BpfSyscallError {
  try {
    syscall.close(syscall.progLoad({ ...attr, log_level: BPF_LOG_LEVEL1 | BPF_LOG_STATS }).fd);
    return first;
  } catch (error) {
    if (error instanceof BpfSyscallError) return error;
    throw error;
  }
}

/** The kernel's own time where the log has it, else ours around the call. */
function timed(stats: LogStats, started: bigint): LogStats {
  return stats.time_us === undefined ? { ...stats, time_us: Number((process.hrtime.bigint() - started) / 1000n) } : stats;
}

function jsonLine(object: string, prog: ProgramSpec, answer: Answer, logLevel: number): string {
  const { log, ...rest } = answer;
  const line = {
    object, section: prog.section, program: prog.name, type: progTypeName(prog.type), insns: prog.insns.length,
    ...(prog.autoload ? {} : { autoload: false }), ...rest, ...(logLevel > 0 ? { log } : {}),
  };
  return `${JSON.stringify(line)}\n`;
}

function textLines(prog: ProgramSpec, answer: Answer, logLevel: number): string {
  const stats = answer.processed_insns === undefined ? '' : ` (${answer.processed_insns} instructions processed, ${answer.total_states ?? 0} states, ${((answer.time_us ?? 0) / 1000).toFixed(2)} ms)`;
  const log = logLevel > 0 ? `${answer.log}\n` : '';
  if (answer.verdict === 'accept') return `${log}${prog.name}: accepted${stats}\n`;
  if (answer.verdict === 'reject') return `${log}${prog.name}: rejected: ${answer.message}${stats}\n`;
  return `${log}${prog.name}: no verdict: ${answer.message}\n`;
}
