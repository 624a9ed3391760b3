// Mutated objects, captures, assembly text and raw instructions: `npm run fuzz:parsers -- [--count 100000] [--seed 1]`.
// Typed errors only, none slow; each fuzzer prints what it saw. Exit code 1 when one found something.

import { parseArgs } from 'node:util';
import { fuzzAsm, fuzzInsns } from '../tests/fuzz/asm.ts';
import { fuzzCaptures } from '../tests/fuzz/captures.ts';
import { fuzzObjects } from '../tests/fuzz/objects.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const [count, seed] = [Number(values.count), Number(values.seed)];

for (const [what, fuzz] of [['assembly text', fuzzAsm], ['instruction bytes', fuzzInsns], ['captures', fuzzCaptures]] as const) {
  const { inputs, accepted, rejected, slowestMs } = fuzz(seed, count);
  console.log(`${what}: ${inputs} inputs from seed ${seed}: ${accepted} accepted, ${rejected} refused with typed errors, slowest ${slowestMs.toFixed(0)} ms`);
}
const objects = fuzzObjects(seed, count);
console.log(`objects: ${count} inputs from seed ${seed}: ${[...objects.outcomes].map(([kind, n]) => `${kind} ${n}`).join(', ')}, slowest ${objects.slowestMs.toFixed(0)} ms`);
for (const failure of objects.failures) console.log(`  ${failure}`);
process.exitCode = objects.failures.length > 0 ? 1 : 0;
