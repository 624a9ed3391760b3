// bpf_spin_lock and bpf_spin_unlock: a u32 in a map value, 0 free, 1 taken.
// Invariant: the verifier lets a program hold one lock and leave no run with it, so with plain memory (one thread) it is never contended;
// with shared memory a worker spins, which is what the kernel does.
// Source: kernel/bpf/helpers.c; the same words as maps/ takes for BPF_F_LOCK.

import { InternalError } from '../util/errors.ts';
import { helper } from './define.ts';

export const spinLock = helper('bpf_spin_lock', ['ptr'], 'void', ({ memory }, lock) => {
  if (memory.shared) {
    const cell = new Int32Array(memory.memory.buffer, lock, 1);
    while (Atomics.compareExchange(cell, 0, 0, 1) !== 0);
    return;
  }
  if (memory.view.getUint32(lock, true) !== 0) throw new InternalError(`bpf_spin_lock at offset ${lock} is taken on a single thread`);
  memory.view.setUint32(lock, 1, true);
});

export const spinUnlock = helper('bpf_spin_unlock', ['ptr'], 'void', ({ memory }, lock) => {
  if (memory.shared) Atomics.store(new Int32Array(memory.memory.buffer, lock, 1), 0, 0);
  else memory.view.setUint32(lock, 0, true);
});
