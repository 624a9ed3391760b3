// States remembered for pruning, in buckets like the kernel's hash table (its collisions show in a counter), and what is known of loops.
// Invariant: within a bucket the newest state comes last; a state leaves its bucket when it has not helped for long, and counts as
// "in the free list" while its children are still being walked.
// Source: behaviour of explored_state, bpf_scc_visit and maybe_free_verifier_state, Linux 6.18.

import type { VerifierState } from './verifier-state.ts';

/** A remembered state and how often it did and didn't match. */
export class RememberedState {
  readonly state: VerifierState;
  missCount = 0;
  hitCount = 0;
  inFreeList = false;
  constructor(state: VerifierState) {
    this.state = state;
  }
}

/** One entry into a loop by one chain of calls, until all its paths are walked. */
export class SccVisit {
  readonly callsites: readonly number[];
  readonly scc: number;
  entryState: VerifierState | undefined = undefined;
  /** States in which a path came back to a state of the loop that was still being walked. */
  backedges: VerifierState[] = [];
  /** Backedges that count for the peak. */
  counted = 0;
  constructor(callsites: readonly number[], scc: number) {
    this.callsites = callsites;
    this.scc = scc;
  }

  /** "(callsite,…,scc)" */
  get text(): string { return `(${[...this.callsites, this.scc].join(',')})`; }
}

/** The table of remembered states. */
export class ExploredStates {
  readonly #buckets: (RememberedState[] | undefined)[];
  /** Visits of loops, by loop number. */
  readonly visits: (SccVisit[] | undefined)[] = [];
  /** The record of each remembered state. */
  readonly records = new Map<VerifierState, RememberedState>();
  count = 0;
  freeListCount = 0;
  backedgeCount = 0;
  constructor(slots: number) {
    this.#buckets = Array.from({ length: Math.max(1, slots) }, () => undefined);
  }

  /** Candidates for a state at `insnIdx` whose frame was called from `callsite`; states of other instructions may be among them. */
  bucket(insnIdx: number, callsite: number): RememberedState[] {
    const at = ((insnIdx ^ callsite) >>> 0) % this.#buckets.length;
    return (this.#buckets[at] ??= []);
  }

  /** States in all, as the kernel counts them for peak_states. */
  get total(): number { return this.count + this.freeListCount + this.backedgeCount; }

  /** Forgets everything: the next function is verified on its own. */
  clear(): void {
    this.#buckets.fill(undefined);
    this.visits.length = 0;
    this.records.clear();
  }
}
