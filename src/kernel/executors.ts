// The two executors by name, for callers that choose one.

import { interp } from '../interp/interp.ts';
import { jit } from '../jit/jit.ts';
import type { Executor } from '../vm/executor.ts';

/** The interpreter (the reference) and the compiler to WebAssembly. */
export const executors: Readonly<Record<'interp' | 'jit', Executor>> = { interp, jit };
