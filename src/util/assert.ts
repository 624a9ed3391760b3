// Checks of bpfkit's own invariants. They guard against our bugs, never against a user's input.

import { InternalError } from './errors.ts';

/** Throws InternalError when `condition` is false. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InternalError(what);
}

/** The value, or InternalError when it is undefined. */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InternalError(`${what} is missing`);
  return value;
}

/** For the branch that types rule out. */
export function unreachable(value: never): never {
  throw new InternalError(`unexpected ${String(value)}`);
}
