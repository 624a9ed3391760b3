// The simulated kernel: the bpf() system call on a machine of linear memory, with its own ids, descriptors, devices and clock.
// Invariants: I3 programs are verified before they run; I9 callers can't tell it from the real one behind BpfSyscall; I10 same seed, same outputs.
// Source: kernel/bpf/syscall.c, Linux 6.18.

import { parseBtf, type Btf } from '../btf/btf.ts';
import { BTF_KIND_STRUCT } from '../spec/btf.ts';
import { helpersFor } from '../helpers/registry.ts';
import type { BpfMap } from '../maps/bpf-map.ts';
import { createMap, type MapBtf } from '../maps/create.ts';
import type { MapEnv, ProgRef } from '../maps/env.ts';
import { ProgArrayMap } from '../maps/fd-maps.ts';
import { EINVAL, errnoName } from '../spec/errno.ts';
import { ALL_CAPS } from '../spec/profile.ts';
import { NEWEST_KERNEL } from '../spec/versions.ts';
import type {
  BpfSyscall, BtfLoadAttr, MapBatchAttr, MapBatchResult, MapCreateAttr, MapElemAttr, MapInfo, ProgInfo, ProgLoadAttr, ProgLoadResult,
  ProgTestRunAttr, ProgTestRunResult,
} from '../spec/syscall.ts';
import { BpfSyscallError, BtfError } from '../util/errors.ts';
import type { Capabilities } from '../verifier/api.ts';
import type { ExecEnv, Executor } from '../vm/executor.ts';
import type { PerfEvent } from '../vm/host.ts';
import { executors } from './executors.ts';
import { FileDescriptors, type KernelObject } from './file-descriptors.ts';
import { SkbHook } from './hooks/skb.ts';
import { XdpHook } from './hooks/xdp.ts';
import { Machine } from './machine.ts';
import { SimNet } from './net.ts';
import { verifyForLoad } from './prog-load.ts';
import { progTestRun } from './prog-test-run.ts';
import { SimHost, type SentPacket } from './sim-host.ts';
import { compatibilityOf, SimProg } from './sim-prog.ts';

/** How a simulated kernel is made; every field has a default. */
export interface SimKernelOptions {
  /** Which executor runs programs; 'jit' by default. */
  readonly engine?: 'jit' | 'interp';
  /** Simulated CPUs, 1 by default. */
  readonly cpus?: number;
  /** Seed of bpf_get_prandom_u32, 1 by default. */
  readonly seed?: number;
  /** What the caller may do; everything by default. */
  readonly caps?: Capabilities;
  /** Linux version whose verifier is meant, major × 1000 + minor; 6018 by default. */
  readonly kernel?: number;
  /** Shared memory, for worker threads; plain by default. */
  readonly shared?: boolean;
  /** Instructions that one run may take; unlimited by default. */
  readonly fuel?: bigint;
  /** Monotonic time at the start in ns; one second by default. */
  readonly startNs?: bigint;
  /** Bytes of memory left unused before anything else (a multiple of 64), so that every address is another: tells results that depend on addresses. */
  readonly skipBytes?: number;
  /** A clock for durations in ns (process.hrtime.bigint, performance.now); without one durations are 0. */
  readonly nowNs?: () => bigint;
  /** Lines of the trace pipe. */
  readonly onPrintk?: (line: string) => void;
  /** Perf events of the maps given to `openPerfBuffer`. */
  readonly onPerfEvent?: (event: PerfEvent) => void;
  /** Copies that bpf_clone_redirect sends to a device of `net`. */
  readonly onTransmit?: (packet: SentPacket) => void;
}

const ONE_SECOND_NS = 1_000_000_000n;

/** A BTF object behind a descriptor. */
class BtfObject implements KernelObject {
  readonly id: number;
  readonly btf: Btf;
  constructor(id: number, btf: Btf) {
    this.id = id;
    this.btf = btf;
  }
  get(): void {}
  put(): void {}
}

/** A kernel that runs anywhere. */
export class SimKernel implements BpfSyscall {
  readonly possibleCpus: number;
  readonly machine: Machine;
  readonly net = new SimNet();
  readonly xdp: XdpHook;
  readonly skb: SkbHook;
  readonly #options: SimKernelOptions;
  readonly #executor: Executor;
  readonly #fds = new FileDescriptors();
  readonly #maps = new Map<number, BpfMap>();
  readonly #host: SimHost;
  readonly #mapEnv: MapEnv;
  #nextId = 1;

  constructor(options: SimKernelOptions = {}) {
    this.#options = options;
    this.possibleCpus = options.cpus ?? 1;
    this.#executor = executors[options.engine ?? 'jit'];
    this.machine = new Machine({
      cpus: this.possibleCpus, shared: options.shared ?? false, seed: options.seed ?? 1, startNs: options.startNs ?? ONE_SECOND_NS,
      skipBytes: options.skipBytes ?? 0,
    });
    this.#host = new SimHost(this.machine, this.#maps, this.net, {
      printk: (line) => options.onPrintk?.(line),
      perfEvent: (event) => options.onPerfEvent?.(event),
      transmit: (packet) => options.onTransmit?.(packet),
    });
    this.#mapEnv = this.#makeMapEnv();
    this.xdp = new XdpHook(this.machine);
    this.skb = new SkbHook(this.machine);
  }

  mapCreate(attr: MapCreateAttr): number {
    const map = createMap(attr, this.#mapEnv, this.#mapBtf(attr));
    this.#maps.set(map.id, map);
    return this.#fds.open('map', map);
  }

  mapLookupElem(attr: MapElemAttr): void {
    this.#map('BPF_MAP_LOOKUP_ELEM', attr.map_fd).lookupElem(attr);
  }
  mapUpdateElem(attr: MapElemAttr): void {
    this.#map('BPF_MAP_UPDATE_ELEM', attr.map_fd).updateElem(attr);
  }
  mapDeleteElem(attr: MapElemAttr): void {
    this.#map('BPF_MAP_DELETE_ELEM', attr.map_fd).deleteElem(attr);
  }
  mapGetNextKey(attr: MapElemAttr): void {
    this.#map('BPF_MAP_GET_NEXT_KEY', attr.map_fd).getNextKey(attr);
  }
  mapLookupAndDeleteElem(attr: MapElemAttr): void {
    this.#map('BPF_MAP_LOOKUP_AND_DELETE_ELEM', attr.map_fd).lookupAndDeleteElem(attr);
  }
  mapFreeze(attr: { readonly map_fd: number }): void {
    this.#map('BPF_MAP_FREEZE', attr.map_fd).freeze();
  }
  mapLookupBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#map('BPF_MAP_LOOKUP_BATCH', attr.map_fd).lookupBatch(attr);
  }
  mapLookupAndDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#map('BPF_MAP_LOOKUP_AND_DELETE_BATCH', attr.map_fd).lookupAndDeleteBatch(attr);
  }
  mapUpdateBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#map('BPF_MAP_UPDATE_BATCH', attr.map_fd).updateBatch(attr);
  }
  mapDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#map('BPF_MAP_DELETE_BATCH', attr.map_fd).deleteBatch(attr);
  }

  progLoad(attr: ProgLoadAttr): ProgLoadResult {
    const { result, log } = verifyForLoad(attr, {
      caps: this.#options.caps ?? ALL_CAPS, kernel: this.#options.kernel ?? NEWEST_KERNEL, nowNs: this.#options.nowNs,
      mapByFd: (fd) => (this.#fds.find(fd, 'map') as BpfMap | undefined) ?? (this.#fds.isOpen(fd) ? 'not a map' : undefined),
      btfByFd: (fd) => (this.#fds.get('BPF_PROG_LOAD', fd, 'btf') as BtfObject).btf,
    });
    const maps = result.program.parts.maps.map((fd) => this.#map('BPF_PROG_LOAD', fd));
    for (const map of maps) {
      if (map instanceof ProgArrayMap && !map.admits(compatibilityOf(attr.prog_type))) throw new BpfSyscallError('BPF_PROG_LOAD', EINVAL, 'EINVAL: a PROG_ARRAY of it belongs to programs of another type');
    }
    const env: ExecEnv = {
      memory: this.machine.memory, host: this.#host, helpers: helpersFor(attr.prog_type), maps: maps.map((map) => map.runtime), cpu: this.machine.cpu,
      table: this.machine.table, fuel: this.#options.fuel !== undefined,
    };
    const executable = this.#executor.prepare(result.program, env);
    const prog = new SimProg({
      id: this.#nextId++, name: attr.prog_name ?? '', verified: result.program, executable, maps, processedInsns: result.stats.processedInsns,
    });
    return { fd: this.#fds.open('prog', prog), log };
  }

  progTestRun(attr: ProgTestRunAttr): ProgTestRunResult {
    return progTestRun(this.prog(attr.prog_fd), attr, {
      machine: this.machine, net: this.net, xdp: this.xdp, skb: this.skb, fuel: this.#options.fuel, nowNs: this.#options.nowNs,
    });
  }

  btfLoad(attr: BtfLoadAttr): number {
    try {
      return this.#fds.open('btf', new BtfObject(this.#nextId++, parseBtf(attr.btf)));
    } catch (error) {
      if (error instanceof BtfError) throw new BpfSyscallError('BPF_BTF_LOAD', EINVAL, `${errnoName(EINVAL)}: ${error.message}`);
      throw error;
    }
  }

  mapGetInfoByFd(fd: number): MapInfo {
    return this.#map('BPF_OBJ_GET_INFO_BY_FD', fd).info();
  }
  progGetInfoByFd(fd: number): ProgInfo {
    return this.prog(fd).info();
  }
  close(fd: number): void {
    this.#fds.close(fd);
  }

  /** The program behind a descriptor, for hooks. Throws BpfSyscallError EBADF or EINVAL. */
  prog(fd: number): SimProg {
    return this.#fds.get('BPF_PROG_TEST_RUN', fd, 'prog') as SimProg;
  }

  /** The map behind a descriptor, for consumers of ring buffers. Throws BpfSyscallError EBADF or EINVAL. */
  map(fd: number): BpfMap {
    return this.#map('BPF_OBJ_GET_INFO_BY_FD', fd);
  }

  /** Makes a PERF_EVENT_ARRAY's events of every CPU come to `onPerfEvent`: perf_event_open(2) and an update per CPU in one step. */
  openPerfBuffer(mapFd: number): void {
    const { id } = this.#map('BPF_MAP_UPDATE_ELEM', mapFd);
    for (let cpu = 0; cpu < this.possibleCpus; cpu++) this.#host.perfReaders.add(`${id}:${cpu}`);
  }

  /** Runs a program on a context that a hook has laid out; returns r0's low 32 bits. Throws Fault when the fuel runs out. */
  runProg(prog: SimProg, context: number): number {
    return this.machine.run(this.#options.fuel, () => prog.executable.run(context));
  }

  #map(command: string, fd: number): BpfMap {
    return this.#fds.get(command, fd, 'map') as BpfMap;
  }

  #mapBtf(attr: MapCreateAttr): MapBtf {
    if (attr.btf_fd === undefined || attr.btf_fd === 0) return { btfId: 0, special: [] };
    const object = this.#fds.get('BPF_MAP_CREATE', attr.btf_fd, 'btf') as BtfObject;
    return { btfId: object.id, special: specialFields(object.btf, attr.btf_value_type_id ?? 0) };
  }

  #makeMapEnv(): MapEnv {
    const { machine } = this;
    return {
      memory: machine.memory, cpu: machine.cpu, possibleCpus: this.possibleCpus, table: machine.table, graceCell: machine.graceCell,
      deferFree: (free) => machine.deferFree(free),
      newMapId: () => this.#nextId++,
      mapFreed: (id) => this.#maps.delete(id),
      mapFromFd: (fd) => this.#map('BPF_MAP_UPDATE_ELEM', fd),
      progFromFd: (fd): ProgRef => this.#fds.get('BPF_MAP_UPDATE_ELEM', fd, 'prog') as SimProg,
      perfEventFromFd: (fd) => this.#fds.get('BPF_MAP_UPDATE_ELEM', fd, 'perf_event').id,
      xskFromFd: (fd) => this.#fds.get('BPF_MAP_UPDATE_ELEM', fd, 'xsk').id,
      deviceExists: (ifindex) => this.net.device(ifindex) !== undefined,
    };
  }
}

const SPECIAL_TYPES: Readonly<Record<string, { readonly kind: 'spin_lock' | 'timer' | 'other'; readonly sizeBytes: number }>> = {
  bpf_spin_lock: { kind: 'spin_lock', sizeBytes: 4 },
  bpf_timer: { kind: 'timer', sizeBytes: 16 },
  bpf_wq: { kind: 'other', sizeBytes: 16 },
};

/** Kernel-owned fields of a map value's BTF struct (top level, as the kernel's btf_parse_fields finds them). */
function specialFields(btf: Btf, typeId: number): MapBtf['special'] {
  const type = typeId === 0 ? undefined : btf.type(typeId);
  if (type?.kind !== BTF_KIND_STRUCT) return [];
  return type.members.flatMap((member) => {
    const special = SPECIAL_TYPES[btf.type(member.type)?.name ?? ''];
    return special === undefined ? [] : [{ ...special, offset: member.bitOffset / 8 }];
  });
}
