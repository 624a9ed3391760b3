// The registry against the facts: every helper once, as many arguments as its prototype, and the right form for each program type.

import { describe, expect, it } from 'vitest';
import { HELPERS } from '../spec/helpers.ts';
import { PROG_TYPES } from '../spec/prog-types.ts';
import { RET_VOID } from '../spec/verifier-types.ts';
import { HELPER_GAPS } from './gaps.ts';
import { BY_EXECUTOR, HELPER_IMPLS, helpersFor } from './registry.ts';
import type { HelperImpl } from '../vm/host.ts';

const typeOf = (name: string): number => PROG_TYPES.findIndex((type) => type.name === name);
const impls: readonly HelperImpl[] = Object.values(HELPER_IMPLS);

describe('the registry', () => {
  it('has each of the 211 helpers exactly once: implemented, acted out by executors, or a gap', () => {
    const all = [...Object.keys(HELPER_IMPLS), ...Object.keys(HELPER_GAPS), ...BY_EXECUTOR].sort();
    expect(all).toEqual(HELPERS.map(({ name }) => name).filter((name) => name !== 'bpf_unspec').sort());
    expect(all.length).toBe(211);
  });
  it('keeps helpers under their own names', () => {
    for (const [name, impl] of Object.entries(HELPER_IMPLS)) expect(impl.name).toBe(name);
  });
  it.each(PROG_TYPES.map(({ name }) => name))('%s: arguments and results fit the prototypes', (name) => {
    for (const [id, impl] of helpersFor(typeOf(name))) {
      const spec = HELPERS[id] as (typeof HELPERS)[number];
      const counts = [spec, ...Object.values(spec.variants ?? {})].map(({ args }) => args.length);
      // bpf_trace_printk reads r3 … r5 too, though its prototype names two arguments only.
      if (impl.name === 'bpf_trace_printk') expect(impl.args.length).toBe(5);
      else expect(counts, `${impl.name} takes ${impl.args.length}`).toContain(impl.args.length);
      expect(impl.result === 'void', impl.name).toBe(spec.ret === RET_VOID);
    }
  });
  it('gives XDP, sk_buff and other programs their own forms', () => {
    const id = (name: string): number => HELPERS.findIndex((spec) => spec.name === name);
    const form = (type: string, name: string): HelperImpl | undefined => helpersFor(typeOf(type)).get(id(name));
    for (const name of ['bpf_redirect', 'bpf_perf_event_output', 'bpf_fib_lookup', 'bpf_check_mtu']) {
      expect(form('BPF_PROG_TYPE_XDP', name)).not.toBe(form('BPF_PROG_TYPE_SCHED_CLS', name));
    }
    expect(form('BPF_PROG_TYPE_KPROBE', 'bpf_perf_event_output')).not.toBe(form('BPF_PROG_TYPE_SCHED_CLS', 'bpf_perf_event_output'));
    expect(form('BPF_PROG_TYPE_SOCK_OPS', 'bpf_get_socket_cookie')).toBeUndefined();
    expect(form('BPF_PROG_TYPE_XDP', 'bpf_map_lookup_elem')).toBe(form('BPF_PROG_TYPE_KPROBE', 'bpf_map_lookup_elem'));
  });
  it('says callsBack of those that do', () => {
    expect(impls.filter(({ callsBack }) => callsBack).map(({ name }) => name).sort()).toEqual(['bpf_for_each_map_elem', 'bpf_loop']);
  });
});
