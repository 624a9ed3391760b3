// `npm start`: builds bpfkit and runs the main job on the flow-tracker example; `npm start -- verify …` runs any other command.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { bundle } from './build.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const MAIN_JOB = ['run', 'examples/flow-tracker/flow_tracker.bpf.o', '--pcap', 'examples/captures/mixed.pcap'];

await bundle();
const asked = process.argv.slice(2);
const args = asked.length > 0 ? asked : MAIN_JOB;
if (asked.length === 0) console.error(`$ bpfkit ${args.join(' ')}\n`);
const cwd = asked.length > 0 ? process.env.INIT_CWD ?? process.cwd() : ROOT;
const child = spawnSync(process.execPath, [resolve(ROOT, 'dist/cli.js'), ...args], { stdio: 'inherit', cwd });
process.exitCode = child.status ?? 1;
