// The interpreter that doesn't believe the verifier: every access is checked against the regions that the kernel says the program may touch.
// Invariant I7: a program that the verifier accepted never faults here, except for fuel; a Fault 'memory' is a verifier bug found.

import type { Executor } from '../vm/executor.ts';
import { prepareWith } from './interp.ts';
import { withinRegions } from './translate.ts';
import type { RegionCheck } from './translate.ts';

export type { RegionCheck } from './translate.ts';

/** An interpreter that asks `mayAccess` about every access outside the program's own frames; false is Fault 'memory'. */
export const checkingInterp = (mayAccess: RegionCheck): Executor =>
  ({ name: 'interp', prepare: (prog, env) => prepareWith(prog, env, withinRegions(mayAccess)) });
