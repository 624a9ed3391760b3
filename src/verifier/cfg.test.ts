// The control-flow graph: order, loops, live registers.

import { describe, expect, it } from 'vitest';
import { computePostorder, computeScc, checkCfg } from './cfg.ts';
import { VerifierEnv } from './env.ts';
import { computeLiveRegisters } from './live-regs.ts';
import { addSubprogs, checkSubprogs } from './prologue.ts';
import { testOptions, testProgram } from './verify.testkit.ts';

function graph(text: string): VerifierEnv {
  const env = new VerifierEnv(testProgram(text), testOptions());
  addSubprogs(env);
  checkSubprogs(env);
  checkCfg(env);
  return env;
}

const LOOP = 'r0 = 0\nagain:\nr0 += 1\nif r0 < 10 goto again\nexit';

describe('postorder', () => {
  it('has a slot after all that it leads to, but for loops', () => {
    expect([...computePostorder(graph('r0 = 0\nif r0 == 0 goto out\nr0 = 1\nout:\nexit'))]).toEqual([3, 2, 1, 0]);
  });
  it('goes function by function', () => {
    const env = graph('call f\nexit\nf:\nr0 = 0\nexit');
    expect([...computePostorder(env)]).toEqual([1, 0, 3, 2]);
    expect(env.subprogs.map((subprog) => subprog.postorderStart)).toEqual([0, 2]);
  });
});

describe('loops', () => {
  it('are numbered', () => {
    const env = graph(LOOP);
    computeScc(env);
    expect(env.aux.map((aux) => aux.scc)).toEqual([0, 1, 1, 0]);
  });
  it('are none in straight code', () => {
    const env = graph('r0 = 0\nexit');
    expect(computeScc(env)).toBe(1);
  });
});

describe('live registers', () => {
  const live = (text: string): number[] => {
    const env = graph(text);
    computeLiveRegisters(env, computePostorder(env));
    return env.aux.map((aux) => aux.liveRegsBefore);
  };
  it('are those read later and not written before', () => expect(live('r2 = r1\nr0 = r2\nexit')).toEqual([0b10, 0b100, 0b1]));
  it('stay live around a loop', () => expect(live(LOOP)).toEqual([0, 1, 1, 1]));
  it('are a helper\'s arguments before a call', () => {
    expect(live('call bpf_map_lookup_elem\nexit')[0]).toBe(0b110);
    expect(live('call bpf_get_prandom_u32\nexit')[0]).toBe(0);
  });
});

describe('pruning points', () => {
  it('are where paths meet', () => {
    const env = graph('r0 = 0\nif r0 == 0 goto out\nr0 = 1\nout:\nexit');
    expect(env.aux.map((aux) => aux.prunePoint)).toEqual([false, true, false, true]);
  });
});
