// What helpers may ask of a simulated kernel: its maps by address, callbacks, the trace pipe, perf buffers, the network.

import { ENOENT, EOPNOTSUPP } from '../spec/errno.ts';
import { BPF_F_INGRESS } from '../spec/helper-flags.ts';
import { InternalError } from '../util/errors.ts';
import type { BpfMap } from '../maps/bpf-map.ts';
import { SkBuff } from '../vm/context.ts';
import { callBackAt } from '../vm/call-back.ts';
import { CPU } from '../vm/cpu-area.ts';
import type { MapRuntime } from '../vm/executor.ts';
import type { HelperHost, NetHost, PerfEvent } from '../vm/host.ts';
import { MAP_HEADER } from '../vm/map-header.ts';
import type { KernelMemory } from '../vm/memory.ts';
import { fibLookup } from './fib.ts';
import type { Machine } from './machine.ts';
import type { SimNet } from './net.ts';

/** Where output of programs goes: one line of the trace pipe, one perf event. */
export interface OutputSinks {
  printk: (line: string) => void;
  perfEvent: (event: PerfEvent) => void;
  transmit: (packet: SentPacket) => void;
}

/** A copy that bpf_clone_redirect sent out of a device, or with `ingress` into it. */
export interface SentPacket { readonly ifindex: number; readonly ingress: boolean; readonly data: Uint8Array }


/** The kernel as helpers see it. */
export class SimHost implements HelperHost {
  readonly memory: KernelMemory;
  readonly cpuCount: number;
  readonly net: NetHost;
  /** Perf readers: `mapId:cpu` of each slot that has an event. */
  readonly perfReaders = new Set<string>();
  readonly #machine: Machine;
  readonly #maps: ReadonlyMap<number, BpfMap>;
  readonly #sinks: OutputSinks;

  constructor(machine: Machine, maps: ReadonlyMap<number, BpfMap>, net: SimNet, sinks: OutputSinks) {
    this.#machine = machine;
    this.#maps = maps;
    this.#sinks = sinks;
    this.memory = machine.memory;
    this.cpuCount = machine.areas.length;
    this.net = {
      deviceExists: (ifindex) => net.device(ifindex) !== undefined,
      mtu: (ifindex) => net.device(ifindex)?.mtu,
      transmit: (skb, ifindex, flags) => {
        const { data, length } = new SkBuff(machine.memory, skb);
        sinks.transmit({ ifindex, ingress: (flags & BPF_F_INGRESS) !== 0, data: machine.memory.bytes.slice(data, data + length) });
        return 0;
      },
      fibLookup: (params, plen, flags) => fibLookup(machine.memory, net, params, plen, flags),
    };
  }

  /** Bound, as helpers take it apart from its host. */
  readonly cpuArea = (): number => this.#machine.area;
  mapAt(header: number): MapRuntime {
    const map = this.mapById(this.memory.view.getUint32(header + MAP_HEADER.id, true));
    if (map === undefined) throw new InternalError(`no map at ${header}`);
    return map;
  }
  mapById(id: number): MapRuntime | undefined {
    return this.#maps.get(id)?.runtime;
  }
  callBack(slot: number, r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint): bigint {
    return callBackAt(this.memory, this.cpuArea(), this.#machine.table, slot, [r1, r2, r3, r4, r5]);
  }
  printk(text: string): void {
    this.#sinks.printk(text);
  }
  perfOutput(map: MapRuntime, index: number, data: Uint8Array): number {
    const cpu = this.memory.view.getUint32(this.cpuArea() + CPU.id, true);
    if (!this.perfReaders.has(`${map.id}:${index}`)) return -ENOENT;
    if (index !== cpu) return -EOPNOTSUPP;
    this.#sinks.perfEvent({ mapId: map.id, cpu, data });
    return 0;
  }
}
