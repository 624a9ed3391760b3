// The typed constructor of helpers: the kinds of arguments and result fix the types of the function that stands for the helper.
// Invariant: a function whose parameters don't match `args` in number or type doesn't compile.
// Source: vm/host.ts, CrossingKind.

import type { CrossingKind, HelperHost, HelperImpl, ResultKind } from '../vm/host.ts';

type Crossed<K extends CrossingKind> = K extends 'u64' ? bigint : number;
type CrossedArgs<A extends readonly CrossingKind[]> = { [I in keyof A]: Crossed<A[I]> };
type CrossedResult<R extends ResultKind> = R extends 'void' ? void : R extends 'u64' ? bigint : number;
type CallArgs<A extends readonly CrossingKind[]> = [host: HelperHost, ...args: CrossedArgs<A>];

/** What a helper function may leave out: nothing. Unused parameters are named with an underscore. */
type SameArity<F extends (...args: never[]) => unknown, A extends readonly CrossingKind[]> =
  Parameters<F>['length'] extends CallArgs<A>['length'] ? unknown : { readonly 'takes fewer arguments than the helper': never };

/** A helper under its uapi name (with "bpf_"). `call` gets the host and one value for each of `args`: number, or bigint for 'u64'. */
export function helper<
  const A extends readonly CrossingKind[], R extends ResultKind, F extends (...args: CallArgs<A>) => CrossedResult<R>,
>(name: string, args: A, result: R, call: F & SameArity<F, A>): HelperImpl {
  return { name, args, result, call: call as unknown as HelperImpl['call'] };
}

/** A helper that calls back into the program while it runs. */
export function callingHelper<
  const A extends readonly CrossingKind[], R extends ResultKind, F extends (...args: CallArgs<A>) => CrossedResult<R>,
>(name: string, args: A, result: R, call: F & SameArity<F, A>): HelperImpl {
  return { ...helper(name, args, result, call), callsBack: true };
}
