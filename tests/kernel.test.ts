// The simulated kernel beside this machine's own: generated programs, BPF_PROG_TEST_RUN's rules, maps under random operations. Needs Linux and root;
// elsewhere it is skipped and says why. Loads, maps and test runs only: nothing is attached.

import { release } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { LinuxKernel } from '../linux/index.ts';
import { openPinnedKernel } from './support/host-kernel.ts';
import { SimKernel } from '../src/kernel/sim-kernel.ts';
import { mapTypeName } from '../src/spec/map-types.ts';
import { BpfkitError, NotSupportedError } from '../src/util/errors.ts';
import { Differential, type Outcome } from './fuzz/differential.ts';
import { askTestRun, TEST_RUN_CASES, type TestRunAnswer, type TestRunCase } from './kernel/test-run.ts';
import { DRIVEN } from './map-models/configs.ts';
import { driveMap } from './map-models/drive.ts';
import { jsonLines, makeCli } from './support/cli.ts';

const SEEDS = Number(process.env['KERNEL_SEEDS'] ?? 400);
/** Beyond the seeds that are recorded, and the same in every run; KERNEL_SEED=… asks others, and `npm run fuzz -- --host` for longer. */
const FIRST_SEED = Number(process.env['KERNEL_SEED'] ?? 10_000_000);
/** The version that bpfkit's answers are those of by default. */
const PROFILE = '6.18.';
const MAP_OPERATIONS = 2_000;
const MAX_ERRNO = 4095;
const TRIVIAL = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

/** The kernel, or why there is none. Asked from one CPU: test runs happen where the caller is. */
async function openHost(): Promise<LinuxKernel | string> {
  if (!release().startsWith(PROFILE)) return `this is ${release()}, the default profile is ${PROFILE}x`;
  try {
    const kernel = await openPinnedKernel();
    kernel.close(kernel.progLoad({ prog_type: 6, insns: TRIVIAL, license: 'GPL' }).fd);
    return kernel;
  } catch (error) {
    if (error instanceof BpfkitError) return error.message;
    return `taskset: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const host = await openHost();
if (typeof host === 'string') console.log(`tests/kernel.test.ts is skipped, there is no kernel to ask: ${host}`);
const kernel = host as LinuxKernel;

/** What Linux says of itself when its verifier meets a state that it takes for impossible. */
const KERNEL_BUG = /kernel: verifier bug: /;

function answer(sys: SimKernel | LinuxKernel, one: TestRunCase): TestRunAnswer | string {
  try {
    return askTestRun(sys, one);
  } catch (error) {
    if (error instanceof NotSupportedError) return error.message;
    throw error;
  }
}

/** Cases that the simulated kernel does not run yet; one that it runs fails here. */
const NOT_YET = /^not supported yet: XDP packets of several buffers/;
const SEVERAL_BUFFERS = /^ctx_out alone$|all zero|linear bytes|data_in of (3521|4000|9000) bytes/;

describe.skipIf(typeof host === 'string')('beside this machine\'s kernel', () => {
  test(`${SEEDS} generated programs from seed ${FIRST_SEED}: verdicts, messages, results, packets, maps`, () => {
    const differential = new Differential(kernel);
    const outcomes: Outcome[] = Array.from({ length: SEEDS }, (_, i) => differential.run(FIRST_SEED + i));
    const differing = outcomes.filter(({ kind, detail }) => kind !== 'agree' && kind !== 'unsupported' && !KERNEL_BUG.test(detail));
    // A rare other message is a known weakness of the order of checks; a wrong verdict or another effect never is.
    const messages = differing.filter(({ kind }) => kind === 'other message' || kind === 'other errno');
    expect(differing.filter((one) => !messages.includes(one)).map(({ seed, kind, detail }) => `seed ${seed}: ${kind}: ${detail}`)).toEqual([]);
    expect(messages.length, messages.map(({ seed, detail }) => `seed ${seed}: ${detail}`).join('\n')).toBeLessThanOrEqual(SEEDS / 100);
    expect(outcomes.filter(({ compared }) => compared === 'kernel').length).toBeGreaterThan(SEEDS / 5);
  }, 300_000);

  describe.each(['jit', 'interp'] as const)('BPF_PROG_TEST_RUN, %s', (engine) => {
    const sim = new SimKernel({ engine, cpus: typeof host === 'string' ? 1 : kernel.possibleCpus });
    test.each(TEST_RUN_CASES.map((one) => [`${one.type}: ${one.name}`, one] as const))('%s', (_name, one) => {
      const ours = answer(sim, one);
      if (one.type === 'xdp' && SEVERAL_BUFFERS.test(one.name)) expect(ours).toMatch(NOT_YET);
      else expect(ours).toEqual(answer(kernel, one));
    });
  });

  test('bpfkit verify --host and test-run --host say what the simulated kernel says', async () => {
    const cli = await makeCli();
    try {
      for (const object of ['tests/objects/events.bpf.o', 'examples/firewall/firewall.bpf.o']) {
        const [ours, theirs] = [[], ['--host']].map((extra) => jsonLines(cli.run(['verify', object, '--json', ...extra])).map((line) => ({ ...line, time_us: 0 })));
        expect(ours).toEqual(theirs);
        expect(theirs?.length).toBeGreaterThan(0);
      }
      const run = ['test-run', 'examples/flow-tracker/flow_tracker.bpf.o', '--prog', 'flow_tracker', '--data-in', '-', '--json'];
      const [ours, theirs] = [[], ['--host']].map((extra) => jsonLines(cli.run([...run, ...extra], new Uint8Array(60))).map((line) => ({ ...line, duration_ns: 0 })));
      expect(ours).toEqual(theirs);
    } finally {
      cli.remove();
    }
  });

  test('the answers are not all the same', () => {
    const errnos = new Set(TEST_RUN_CASES.map((one) => answer(kernel, one)).map((each) => (typeof each === 'string' ? each : each.errno)));
    expect([...errnos].every((errno) => typeof errno === 'number' && errno <= MAX_ERRNO)).toBe(true);
    expect(errnos.size).toBeGreaterThanOrEqual(4);
  });

  test.each([...DRIVEN.keys()].map((type) => [mapTypeName(type), type] as const))('%s: this kernel, the simulated one and the model behave alike', (_name, type) => {
    const seed = FIRST_SEED % 100_000;
    expect(Object.keys(driveMap(kernel, type, seed, MAP_OPERATIONS)).length).toBeGreaterThan(3);
    const sim = new SimKernel({ cpus: kernel.possibleCpus });
    sim.net.addDevice({ ifindex: 1, name: 'lo', mac: new Uint8Array(6), mtu: 65536 });
    expect(Object.keys(driveMap(sim, type, seed, MAP_OPERATIONS)).length).toBeGreaterThan(3);
  });
});
