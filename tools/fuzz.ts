// Differential fuzzing: `npm run fuzz -- [--count 10000] [--seed 1] [--host] [--show KIND] [--histogram] [--cpu 0]`. Says what it found and with which seeds.
// --host asks the machine's own kernel too (loads and test-runs only, never attaches).

import { parseArgs } from 'node:util';
import { HELPERS } from '../src/spec/helpers.ts';
import { insnRowOf } from '../src/spec/insn-table.ts';
import { Differential, type Outcome } from '../tests/fuzz/differential.ts';
import { generateProgram } from '../tests/fuzz/programs/generate.ts';
import { FUZZ_MAPS } from '../tests/fuzz/programs/maps.ts';
import { openPinnedKernel } from '../tests/support/host-kernel.ts';
import { Progress } from '../cli/progress.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, host: { type: 'boolean', default: false },
    show: { type: 'string' }, histogram: { type: 'boolean', default: false }, limit: { type: 'string', default: '20' }, cpu: { type: 'string', default: '0' },
  },
});

const bump = (counts: Map<string, number>, what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
const template = (message: string): string => message.replace(/0x[0-9a-f]+/g, 'X').replace(/-?\b\d+\b/g, 'N').replace(/\bR\d+\b/g, 'RN');

await main();

async function main(): Promise<void> {
  const cpu = Number(values.cpu);
  const [first, count, limit] = [Number(values.seed), Number(values.count), Number(values.limit)];
  const host = values.host ? await openPinnedKernel(cpu) : undefined;
  const differential = new Differential(host, cpu);
  const progress = new Progress('fuzz', count);
  const kinds = new Map<string, number>();
  const tally = { accepted: 0, comparedWithKernel: 0 };
  const messages = new Map<string, number>();
  const seen = { rows: new Map<string, number>(), helpers: new Map<string, number>(), maps: new Map<string, number>() };
  for (let seed = first; seed < first + count; seed++) {
    const outcome = runOne(differential, seed);
    bump(kinds, outcome.kind);
    if (outcome.kind !== 'agree' && (kinds.get(outcome.kind) ?? 0) <= limit && (values.show ?? outcome.kind) === outcome.kind) {
      progress.done();
      console.log(`[${outcome.kind}] seed ${outcome.seed}: ${outcome.detail}`);
    }
    if (outcome.accepted) tally.accepted++;
    if (outcome.compared === 'kernel') tally.comparedWithKernel++;
    if (outcome.message !== '') bump(messages, template(outcome.message));
    if (values.histogram) cover(seen, seed);
    progress.update(seed - first, () => `${seed - first} programs, ${[...kinds].filter(([kind]) => kind !== 'agree').map(([kind, all]) => `${kind} ${all}`).join(', ')}`);
  }
  progress.done();
  console.log(`\nseeds ${first} … ${first + count - 1}${host === undefined ? ', without the kernel' : ''}: accepted ${tally.accepted} (${((100 * tally.accepted) / count).toFixed(1)} %), runs compared with the kernel ${tally.comparedWithKernel}, reject messages ${messages.size}`);
  for (const [kind, outcomes] of kinds) console.log(`${kind}: ${outcomes}`);
  if (values.histogram) histogram(seen, messages);
  process.exitCode = [...kinds.keys()].some((kind) => kind !== 'agree' && kind !== 'unsupported' && kind !== 'other message') ? 1 : 0;
}

function runOne(differential: Differential, seed: number): Outcome {
  try {
    return differential.run(seed);
  } catch (error) {
    return { seed, kind: 'executors differ', accepted: false, detail: `threw ${error instanceof Error ? error.stack : String(error)}`, message: '', compared: 'verdict' };
  }
}

function cover(seen: { rows: Map<string, number>; helpers: Map<string, number>; maps: Map<string, number> }, seed: number): void {
  for (const insn of generateProgram(seed).insns) {
    const row = insnRowOf(insn);
    if (row !== undefined) bump(seen.rows, row.name);
    if (insn.code === 0x85 && insn.src === 0) bump(seen.helpers, HELPERS[insn.imm]?.name ?? `#${insn.imm}`);
    if (insn.code === 0x18 && (insn.src === 1 || insn.src === 2)) bump(seen.maps, FUZZ_MAPS[insn.imm]?.name ?? '?');
  }
}

function histogram(seen: { rows: Map<string, number>; helpers: Map<string, number>; maps: Map<string, number> }, messages: Map<string, number>): void {
  for (const [title, counts] of [['instruction rows', seen.rows], ['helpers', seen.helpers], ['maps', seen.maps], ['reject messages', messages]] as const) {
    console.log(`\n${title}: ${counts.size}`);
    for (const [what, n] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`${String(n).padStart(8)} ${what}`);
  }
}
