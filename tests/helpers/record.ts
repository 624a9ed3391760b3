// Asks the running kernel (root, Linux) for the answers of all helper cases and writes recorded.json. `npx tsx tests/helpers/record.ts`

import { writeFileSync } from 'node:fs';
import { openLinuxKernel } from '../../linux/index.ts';
import { runCase } from './case.ts';
import { BASE_CASES } from './cases-base.ts';
import { SKB_CASES } from './cases-skb.ts';
import { XDP_CASES } from './cases-xdp.ts';

async function main(): Promise<void> {
  const kernel = await openLinuxKernel();
  const answers = Object.fromEntries([...XDP_CASES, ...SKB_CASES, ...BASE_CASES].map((one) => [`${one.type}: ${one.name}`, runCase(kernel, one)]));
  const lines = Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  writeFileSync(new URL('recorded.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`);
  const errors = Object.entries(answers).filter(([, answer]) => 'error' in answer);
  console.log(`${lines.length} cases, ${errors.length} not run`);
  for (const [name, answer] of errors) console.log(name, answer);
}

await main();
