#!/usr/bin/env node
// The bpfkit command: reads the arguments, runs one command, turns errors into one line on stderr and an exit code.
// Invariant: 0 fine, 1 a program was rejected or the check failed, 2 wrong usage, unreadable input or something not supported.
// Commands are imported when they are asked for, so that starting is quick.

import { Command, CommanderError, Option } from 'commander';
import type { AsmCommandOptions } from './commands/asm.ts';
import type { BenchOptions } from './commands/bench.ts';
import type { DisasmOptions } from './commands/disasm.ts';
import type { ExecOptions } from './commands/exec.ts';
import type { RunOptions } from './commands/run.ts';
import type { TestRunOptions } from './commands/test-run.ts';
import type { VerifyOptions } from './commands/verify.ts';
import { BpfkitError, BpfSyscallError } from '../src/util/errors.ts';

const EPERM = 1;
const collect = (value: string, before: readonly string[]): string[] => [...before, value];
const engine = (): Option => new Option('--engine <name>', 'executor').choices(['jit', 'interp']).default('jit');
const json = (): Option => new Option('--json', 'one JSON object per line on stdout, nothing else there');
const host = (): Option => new Option('--host', 'use the running Linux kernel instead of the simulated one');

function program(): Command {
  const bpfkit = new Command('bpfkit').description('eBPF without a kernel: verify, compile, run and inspect BPF programs anywhere').version('0.1.0');
  bpfkit.command('run').description('run a program over a packet capture: the main job')
    .argument('<object>', 'BPF object file (.bpf.o)').requiredOption('--pcap <file>', "capture to read: pcap, pcapng, either gzipped; '-' is stdin")
    .option('--prog <name>', 'program to run, where the object has several').option('--pcap-out <file>', 'write the packets that came out; - is stdout')
    .option('--map <name=file.json>', 'fill a map before the run', collect, []).option('--set <var=value>', 'set a global variable before the run', collect, [])
    .option('--as <map=struct>', "decode a ring or perf buffer's events as this struct", collect, []).option('--maps-out <file>', 'write all maps as JSON after the run').option('--repeat <n>', 'go over the capture n times')
    .option('--cpus <n>', 'simulated CPUs').option('--fuel <n>', 'instructions that one run may take')
    .addOption(engine()).addOption(json()).option('--btf <file>', 'BTF of the kernel that CO-RE relocations are against')
    .action(async (object: string, options: RunOptions) => (await import('./commands/run.ts')).run(object, options));
  bpfkit.command('verify').description('verify each program on its own, as the kernel would').argument('<object>', 'BPF object file (.bpf.o)')
    .option('--prog <name>', 'only this program (repeatable)', collect, []).option('--btf <file>', 'BTF of the kernel that CO-RE relocations are against')
    .option('--kernel <version>', 'Linux version whose verifier is meant', '6.18').option('--caps <list>', 'capabilities: bpf,perfmon,net_admin,sys_admin')
    .option('--unpriv', 'no capabilities at all').option('--log-level <n>', 'verifier log: 1, 2, 4 statistics; added up', '0')
    .addOption(json()).addOption(host())
    .action(async (object: string, options: VerifyOptions) => (await import('./commands/verify.ts')).verify(object, options));
  bpfkit.command('test-run').description('BPF_PROG_TEST_RUN').argument('<object>', 'BPF object file (.bpf.o)').requiredOption('--prog <name>', 'program')
    .option('--data-in <file>', 'packet').option('--data-out <file>', 'packet afterwards').option('--ctx-in <file>', 'context').option('--ctx-out <file>', 'context afterwards')
    .option('--repeat <n>', 'runs', '1').addOption(engine()).addOption(json()).addOption(host()).option('--btf <file>', 'BTF of the kernel that CO-RE relocations are against')
    .action(async (object: string, options: TestRunOptions) => (await import('./commands/test-run.ts')).testRun(object, options));
  bpfkit.command('exec').description('run raw instructions, hex on stdin, in a private memory; prints r0 in hex')
    .argument('[memory]', 'with --plugin: the memory in hex').addOption(engine()).option('--mem <hex>', 'bytes that r1 points to; r2 is their number')
    .option('--fuel <n>', 'instructions to run at most', '1000000').option('--plugin', "the ISA conformance runner's plug-in protocol")
    .action(async (memory: string | undefined, options: ExecOptions) => (await import('./commands/exec.ts')).exec(memory, options));
  bpfkit.command('asm').description('assemble text (the kernel\'s or LLVM\'s dialect) to instruction bytes').argument('[file]', 'text; - is stdin', '-')
    .option('--out <file>', 'write raw bytes here; otherwise hex goes to stdout').addOption(json())
    .action(async (file: string, options: AsmCommandOptions) => (await import('./commands/asm.ts')).asm(file, options));
  bpfkit.command('disasm').description('disassemble instruction bytes (hex or raw), or the programs of an object').argument('[file]', 'hex, raw bytes or .o; - is stdin', '-')
    .addOption(new Option('--dialect <name>', 'output dialect').choices(['kernel', 'llvm']).default('kernel')).option('--prog <name>', 'only this program of an object').addOption(json())
    .action(async (file: string, options: DisasmOptions) => (await import('./commands/disasm.ts')).disasm(file, options));
  bpfkit.command('bench').description('the benchmark suite: ns per run in each executor').argument('[names...]', 'programs; all by default')
    .addOption(host()).addOption(json()).option('--seconds <n>', 'measuring time per program and executor', '0.5')
    .action(async (names: string[], options: BenchOptions) => (await import('./commands/bench.ts')).bench(names, options));
  return bpfkit;
}

/** Throws CommanderError instead of ending the process, in every subcommand. */
function throwing(command: Command): Command {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bpfkit: ')) });
  command.commands.forEach(throwing);
  return command;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof BpfkitError) {
    process.stderr.write(error.message.split('\n').map((line) => `bpfkit: ${line}\n`).join(''));
    return isMissingPermission(error) ? 2 : error.exitCode;
  }
  const system = error as NodeJS.ErrnoException;
  if (typeof system.code === 'string' && system.syscall !== undefined) {
    process.stderr.write(`bpfkit: ${system.path ?? system.syscall}: ${system.code === 'ENOENT' ? 'no such file' : system.message}\n`);
    return 2;
  }
  process.stderr.write(`bpfkit: internal error, please report: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 2;
}

/** EPERM without a verifier's word: nothing was rejected, the caller may not ask. */
const isMissingPermission = (error: BpfkitError): boolean => error instanceof BpfSyscallError && error.errno === EPERM && error.log === '';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await throwing(program()).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
