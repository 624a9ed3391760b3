// A verifier log read as a program: each instruction line once, in the order of its index; states, source lines and statistics are passed over.
// Invariant: places stay those of the log; a log that doesn't have every instruction up to its last is a complaint, never a shorter program.
// Source: the layout of kernel/bpf/verifier.c and log.c, Linux 6.18 (log levels 1 and 2); bpftool prog dump xlated.

import type { AsmDiagnostic } from '../util/errors.ts';
import { complaint, lex } from './lexer.ts';
import type { Statement, Token } from './lexer.ts';

/** "12: (b7) r0 = 0", or with the registers that are live before it: "     12: .1.345.... (b7) r0 = 0". */
const INSN_LINE = /^([ \t]*\d+: )([.\d]{10,16} )?(?=\([0-9a-f]{2}\) )/;
/** What only a verifier log or bpftool's dump has beside instructions: functions, states, paths, statistics. */
const LOG_LINE = /^(?:func#\d+ @\d+$|Live regs before insn:$|\d+: (?:frame\d+: )?R\d+\w*=|from \d+ to \d+|processed \d+ insns |Validating \S+ func#\d+|[A-Za-z_][^;={}()]*\([^;={}]*\):$)/;
const LDDW_OPCODE = '18';

/** Whether a text is a verifier log (or bpftool's dump with functions' names) rather than assembly: it has instructions with opcodes, and lines of a log. */
export function isVerifierLog(text: string): boolean {
  const lines = text.split('\n');
  return lines.some((line) => INSN_LINE.test(line)) && lines.some((line) => LOG_LINE.test(line.trimEnd()));
}

/** The log's instructions in order, and what is missing. */
export function logStatements(text: string): { readonly statements: readonly Statement[]; readonly complaints: readonly AsmDiagnostic[] } {
  const byIndex = new Map<number, Statement>();
  for (const statement of lex(text.split('\n').map(insnLine).join('\n'))) {
    const index = Number(first(statement).value);
    if (!statement.comment && !byIndex.has(index)) byIndex.set(index, statement);
  }
  const indexes = [...byIndex.keys()].sort((a, b) => a - b);
  const statements = indexes.map((index) => byIndex.get(index) as Statement);
  return { statements, complaints: gaps(indexes, statements) };
}

const first = (statement: Statement): Token => statement.tokens[0] as Token;

/** An instruction's line without its column of live registers; other lines blank, so that places stay. */
function insnLine(line: string): string {
  const match = INSN_LINE.exec(line);
  if (match === null) return '';
  const [whole, index, live] = match;
  return `${index ?? ''}${' '.repeat(live?.length ?? 0)}${line.slice(whole.length)}`;
}

function gaps(indexes: readonly number[], statements: readonly Statement[]): AsmDiagnostic[] {
  let next = 0;
  return statements.flatMap((statement, i) => {
    const index = indexes[i] as number;
    const missing = index - next;
    const found = missing === 0 ? [] : [complaint(first(statement), `the log has no instruction ${missing === 1 ? next : `${next} to ${index - 1}`}: the verifier did not get there`)];
    next = index + (statement.tokens[3]?.text === LDDW_OPCODE ? 2 : 1);
    return found;
  });
}
