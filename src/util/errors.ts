// Every error that bpfkit throws on purpose. A caller can tell by type what went wrong and where.
// Invariant: `throw new Error(` appears nowhere; the CLI maps `exitCode` to its own.
// Source: docs/reference/errors.md is generated from the sentence over each class.

/** Base of all typed errors. `exitCode` is what the CLI ends with: 1 rejected or failed, 2 bad input or unsupported. */
export abstract class BpfkitError extends Error {
  abstract readonly exitCode: 1 | 2;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** One complaint of the assembler; `line` and `column` count from 1. */
export interface AsmDiagnostic { readonly line: number; readonly column: number; readonly message: string }

/** The assembler's text could not be read; holds every complaint, in order of place. */
export class AsmError extends BpfkitError {
  readonly exitCode = 2;
  readonly diagnostics: readonly AsmDiagnostic[];
  constructor(diagnostics: readonly AsmDiagnostic[]) {
    super(diagnostics.map((d) => `${d.line}:${d.column}: ${d.message}`).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** Raw instruction bytes that no decoder takes; `offset` in bytes from the start of the program. */
export class DecodeError extends BpfkitError {
  readonly exitCode = 2;
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`instruction bytes, offset ${offset}: ${message}`);
    this.offset = offset;
  }
}

/** An ELF object that cannot be read; `section` is a name or '' for the file header, `offset` is in bytes from the file's start. */
export class ElfError extends BpfkitError {
  readonly exitCode = 2;
  readonly section: string;
  readonly offset: number;
  constructor(message: string, section: string, offset: number) {
    super(section === '' ? `ELF, offset ${offset}: ${message}` : `ELF section '${section}', offset ${offset}: ${message}`);
    this.section = section;
    this.offset = offset;
  }
}

/** BTF or .BTF.ext data that cannot be read; `offset` is in bytes from the section's start. */
export class BtfError extends BpfkitError {
  readonly exitCode = 2;
  readonly section: string;
  readonly offset: number;
  constructor(message: string, section: string, offset: number) {
    super(`${section}, offset ${offset}: ${message}`);
    this.section = section;
    this.offset = offset;
  }
}

/** A capture or recording that cannot be read; `offset` is in bytes from the file's start. */
export class FormatError extends BpfkitError {
  readonly exitCode = 2;
  readonly format: string;
  readonly offset: number;
  constructor(format: string, message: string, offset: number) {
    super(`${format}, offset ${offset}: ${message}`);
    this.format = format;
    this.offset = offset;
  }
}

/** An object that opens but cannot be loaded as asked (a missing map, an unresolved symbol, a value that its BTF type can't hold). */
export class LoadError extends BpfkitError {
  readonly exitCode = 2;
}

/** Wrong use of the CLI or the library: what was wrong, and what to do. */
export class UsageError extends BpfkitError {
  readonly exitCode = 2;
}

/** A feature that bpfkit doesn't have yet; never passed off as a verdict. The message reads "not supported yet: <feature>". */
export class NotSupportedError extends BpfkitError {
  readonly exitCode = 2;
  readonly feature: string;
  constructor(feature: string) {
    super(`not supported yet: ${feature}`);
    this.feature = feature;
  }
}

/** The verifier decided against the program. `errno` is positive, `insn` the index it stopped at (-1: none), `log` the whole log. */
export class VerifierError extends BpfkitError {
  readonly exitCode = 1;
  readonly errno: number;
  readonly insn: number;
  readonly log: string;
  constructor(message: string, errno: number, insn: number, log: string) {
    super(message);
    this.errno = errno;
    this.insn = insn;
    this.log = log;
  }
}

/** A bpf() command that failed, in the simulated kernel or the real one. `errno` is positive; `log` is BPF_PROG_LOAD's, if any. */
export class BpfSyscallError extends BpfkitError {
  readonly exitCode = 1;
  readonly command: string;
  readonly errno: number;
  readonly log: string;
  constructor(command: string, errno: number, detail: string, log = '') {
    super(`${command}: ${detail}`);
    this.command = command;
    this.errno = errno;
    this.log = log;
  }
}

/** BPF_PROG_TEST_RUN ended with ENOSPC: the program ran, `data_out` or `ctx_out` was too small and is filled as far as it goes. */
export class TestRunSpaceError extends BpfSyscallError {
  /** What the command wrote back all the same; sizes are the whole packet's and context's, `duration` is in ns. */
  readonly partial: { readonly retval: number; readonly duration: number; readonly data_size_out: number; readonly ctx_size_out: number };
  constructor(errno: number, detail: string, partial: TestRunSpaceError['partial']) {
    super('BPF_PROG_TEST_RUN', errno, detail);
    this.partial = partial;
  }
}

/** What stopped a run: out of fuel, or (in unverified runs only) an access outside the private memory or an unknown instruction. */
export type FaultKind = 'fuel' | 'memory' | 'instruction' | 'call';

/** A run that did not reach its exit. A verified program can only run out of fuel (invariant I7). */
export class Fault extends BpfkitError {
  readonly exitCode = 1;
  readonly kind: FaultKind;
  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A bug of bpfkit's own. */
export class InternalError extends BpfkitError {
  readonly exitCode = 2;
  constructor(message: string) {
    super(`internal error, please report: ${message}`);
  }
}
