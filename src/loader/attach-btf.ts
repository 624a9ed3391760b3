// Finds what a program attaches to in the kernel's BTF: fentry/fexit functions, tp_btf tracepoints, LSM hooks, iterators.
// Source: libbpf's libbpf_find_attach_btf_id: the name gets a prefix by attach type, and is a FUNC or (tracepoints) a TYPEDEF.

import type { Btf } from '../btf/btf.ts';
import { BPF_LSM_CGROUP, BPF_LSM_MAC, BPF_TRACE_ITER, BPF_TRACE_RAW_TP } from '../spec/attach-types.ts';
import { BTF_KIND_FUNC, BTF_KIND_TYPEDEF } from '../spec/btf.ts';
import { BPF_PROG_TYPE_EXT } from '../spec/prog-types.ts';
import { LoadError, NotSupportedError } from '../util/errors.ts';
import type { ProgramSpec } from './object-spec.ts';

const PREFIXES: ReadonlyMap<number, string> = new Map([[BPF_TRACE_RAW_TP, 'btf_trace_'], [BPF_LSM_MAC, 'bpf_lsm_'], [BPF_LSM_CGROUP, 'bpf_lsm_'], [BPF_TRACE_ITER, 'bpf_iter_']]);

/** attach_btf_id of a program. Throws LoadError when the kernel has no such target, or its BTF isn't known; NotSupportedError for program extensions. */
export function attachBtfId(prog: ProgramSpec, kernelBtf: Btf | undefined): number {
  if (prog.type === BPF_PROG_TYPE_EXT) throw new NotSupportedError(`program extensions (program '${prog.name}')`);
  if (prog.attachTo === '') throw new LoadError(`program '${prog.name}': section '${prog.section}' does not name what to attach to`);
  if (kernelBtf === undefined) throw new LoadError(`program '${prog.name}': needs the kernel's BTF to find '${prog.attachTo}' (--btf FILE)`);
  const name = `${PREFIXES.get(prog.expectedAttachType) ?? ''}${prog.attachTo}`;
  const id = kernelBtf.findByName(name, prog.expectedAttachType === BPF_TRACE_RAW_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
  if (id === undefined) throw new LoadError(`program '${prog.name}': the kernel's BTF has no '${name}' to attach to`);
  return id;
}
