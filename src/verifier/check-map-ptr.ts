// Loads through a pointer to a map itself (struct bpf_map and its kin by the kernel's BTF): only what needs no BTF to be refused is judged.
// Source: behaviour of check_ptr_to_map_access, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH } from '../spec/map-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierEnv } from './env.ts';
import type { MemAccess } from './check-mem.ts';
import type { RegState } from './reg-state.ts';

const STRUCT_NAMES: ReadonlyMap<number, string> = new Map([
  [BPF_MAP_TYPE_ARRAY, 'bpf_array'], [BPF_MAP_TYPE_PERCPU_ARRAY, 'bpf_array'], [BPF_MAP_TYPE_HASH, 'bpf_htab'], [BPF_MAP_TYPE_LRU_HASH, 'bpf_htab'],
  [BPF_MAP_TYPE_PERCPU_HASH, 'bpf_htab'], [BPF_MAP_TYPE_LRU_PERCPU_HASH, 'bpf_htab'],
]);

/** Refuses writes and negative offsets; loads need the kernel's BTF and are not supported yet. */
export function checkMapPtrAccess(env: VerifierEnv, reg: RegState, access: MemAccess): void {
  const name = STRUCT_NAMES.get(env.mapOf(reg).mapType);
  if (name === undefined) throw new NotSupportedError('accesses through a pointer to a map');
  if (access.off < 0) env.reject(EACCES, `R${access.regno} is ${name} invalid negative access: off=${access.off}`);
  if (access.isWrite) env.reject(EACCES, `only read from ${name} is supported`);
  throw new NotSupportedError('loads through a pointer to a map (kernel BTF)');
}
