// Prints how bpfkit's verifier compares with Linux 6.18's recorded answers: `npm run oracle [-- --all] [--show KIND] [--type NAME] [--grep TEXT --log]`.
// KIND: accepted | rejected | error | message | processed. Without --all: the four program types that bpfkit verifies so far.

import { parseArgs } from 'node:util';
import { compareAll, compareCase, type Comparison } from '../tests/oracle/compare.ts';
import { oraclePath, readMapKinds, readOracle, SPINE_TYPES } from '../tests/oracle/cases.ts';

const { values } = parseArgs({
  options: { all: { type: 'boolean' }, show: { type: 'string' }, type: { type: 'string' }, grep: { type: 'string' }, log: { type: 'boolean' } },
});

if (oraclePath() === undefined) {
  console.log('no oracle: ../shared/oracle is not there');
} else {
  report();
}

function report(): void {
  const cases = readOracle().filter((c) => values.all === true || SPINE_TYPES.has(c.prog_type_name))
    .filter((c) => values.type === undefined || c.prog_type_name === values.type)
    .filter((c) => values.grep === undefined || `${c.file} ${c.descr}`.includes(values.grep));
  if (values.log === true) {
    for (const c of cases) console.log(`# ${c.file}: ${c.descr}\n${compareCase(c, readMapKinds(), 2).result?.log ?? ''}\nkernel: ${JSON.stringify(c.kernel_6_18)}`);
    return;
  }
  const started = performance.now();
  const results = compareAll(cases);
  const ms = performance.now() - started;
  const count = (test: (r: Comparison) => boolean): number => results.filter(test).length;
  const agree = results.filter((r) => r.outcome === 'agree');
  const rejects = agree.filter((r) => r.case.kernel_6_18.verdict === 'reject');
  console.log(`${results.length} cases in ${ms.toFixed(0)} ms: agree ${agree.length} (${percent(agree.length, results.length)}), wrongly accepted ${count((r) => r.outcome === 'wrongly accepted')}, `
    + `wrongly rejected ${count((r) => r.outcome === 'wrongly rejected')}, error ${count((r) => r.outcome === 'error')}`);
  console.log(`common rejects ${rejects.length}: same message ${percent(rejects.filter((r) => r.sameMessage).length, rejects.length)}, same errno ${percent(rejects.filter((r) => r.sameErrno).length, rejects.length)}; `
    + `processed_insns equal on ${percent(agree.filter((r) => r.sameProcessed).length, agree.length)} of agreeing`);
  for (const r of results.filter(shown)) console.log(line(r));
}

function shown(r: Comparison): boolean {
  switch (values.show) {
    case 'accepted': return r.outcome === 'wrongly accepted';
    case 'rejected': return r.outcome === 'wrongly rejected';
    case 'error': return r.outcome === 'error';
    case 'message': return r.outcome === 'agree' && r.case.kernel_6_18.verdict === 'reject' && !r.sameMessage;
    case 'processed': return r.outcome === 'agree' && !r.sameProcessed;
    default: return false;
  }
}

function line(r: Comparison): string {
  const kernel = r.case.kernel_6_18;
  return `${r.case.file} [${r.case.prog_type_name}] ${r.case.descr}\n   ours: ${r.message} (${r.result?.stats.processedInsns ?? '-'})\n kernel: ${kernel.last_log_line ?? ''} (${kernel.processed_insns ?? '-'}, errno ${kernel.errno ?? 0})`;
}

function percent(part: number, whole: number): string {
  return `${part}/${whole} = ${whole === 0 ? '-' : ((100 * part) / whole).toFixed(1)} %`;
}
