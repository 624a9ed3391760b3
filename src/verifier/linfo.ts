// Source lines in the log: "; text @ file.c:line" before the first instruction of each line.
// Invariant: a line is not printed twice in a row, though several records (columns) may name it.
// Source: behaviour of verbose_linfo, Linux 6.18.

import type { LineInfo } from '../insn/insn.ts';
import type { VerifierEnv } from './env.ts';

/** Index of the line record that covers slot `insnIdx`, -1 if none. */
function findLinfo(env: VerifierEnv, insnIdx: number): number {
  const records = env.prog.lineInfo;
  let low = 0;
  let high = records.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((records[middle] as LineInfo).insnOff <= insnIdx) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}

/** Prints the source line of slot `insnIdx` after `prefix`, unless it is the one printed last; prints nothing without line info. */
export function verboseLinfo(env: VerifierEnv, insnIdx: number, prefix: string): void {
  const { btf, lineText = btf === undefined ? undefined : (offset: number) => btf.string(offset) } = env.options;
  if (env.log.level === 0 || env.prog.lineInfo.length === 0 || lineText === undefined) return;
  const at = findLinfo(env, insnIdx);
  if (at < 0 || at === env.prevLinfo) return;
  const record = env.prog.lineInfo[at] as LineInfo;
  const before = env.prevLinfo >= 0 ? env.prog.lineInfo[env.prevLinfo] : undefined;
  if (before !== undefined && before.fileNameOff === record.fileNameOff && before.line === record.line) return;
  env.prevLinfo = at;
  const text = lineText(record.lineOff).trimStart();
  const file = lineText(record.fileNameOff);
  env.log.verbose(`${prefix}${text} @ ${file.slice(file.lastIndexOf('/') + 1)}:${record.line}\n`);
}
