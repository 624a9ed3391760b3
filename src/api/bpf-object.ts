// A loaded object in a simulated kernel, as programs that use the library see it: programs to run, typed maps, globals, events.
// Invariant: closing it releases everything that loading made.

import { loadObject, type LoadedObject, type LoadedProgram, type LoadOptions } from '../loader/load.ts';
import type { BtfValue } from '../loader/btf-values.ts';
import type { GlobalValue } from '../loader/globals.ts';
import type { ObjectSpec } from '../loader/object-spec.ts';
import { SimKernel, type SimKernelOptions } from '../kernel/sim-kernel.ts';
import { RingbufMap } from '../maps/ringbuf-map.ts';
import { BPF_MAP_TYPE_PERF_EVENT_ARRAY } from '../spec/map-types.ts';
import { LoadError } from '../util/errors.ts';
import type { PerfEvent } from '../vm/host.ts';
import { PacketRunner, type RunnerOptions } from './packet-runner.ts';
import { decodeAs, TypedMap } from './typed-map.ts';

/** How to load into a simulated kernel: the loader's options and the kernel's, or a kernel that is there already. */
export interface BpfObjectOptions extends LoadOptions {
  readonly kernel?: SimKernel | Omit<SimKernelOptions, 'onPerfEvent'>;
}

/** What a packet program made of one packet. */
export interface RunResult {
  /** r0's low 32 bits, unsigned. */
  readonly retval: number;
  /** Its name at the hook: XDP_PASS, TC_ACT_OK, keep, drop … */
  readonly verdict: string;
  /** The packet afterwards; undefined when it was dropped. */
  readonly packet: Uint8Array | undefined;
}

/** An event of a ring buffer or perf buffer: bytes, or a value when a type was named. */
export interface BpfEvent { readonly cpu: number | undefined; readonly bytes: Uint8Array; readonly value: BtfValue | undefined }

/** Programs, maps and globals of one object. Made by `load`. */
export class BpfObject {
  readonly kernel: SimKernel;
  readonly spec: ObjectSpec;
  readonly maps: Readonly<Record<string, TypedMap>>;
  readonly #loaded: LoadedObject;
  readonly #runners = new Map<string, PacketRunner>();
  readonly #perfEvents: PerfEvent[];

  constructor(spec: ObjectSpec, options: BpfObjectOptions = {}) {
    const { kernel = {}, ...loadOptions } = options;
    this.#perfEvents = [];
    this.kernel = kernel instanceof SimKernel ? kernel : new SimKernel({ ...kernel, onPerfEvent: (event) => this.#perfEvents.push(event) });
    this.spec = spec;
    this.#loaded = loadObject(spec, this.kernel, loadOptions);
    this.maps = Object.fromEntries([...this.#loaded.maps.values()].map((map) => [map.name, new TypedMap(map, this.kernel, spec.btf)]));
    for (const map of this.#loaded.maps.values()) if (map.spec.type === BPF_MAP_TYPE_PERF_EVENT_ARRAY) this.kernel.openPerfBuffer(map.fd);
  }

  /** Names of the loaded programs. */
  get programs(): readonly string[] {
    return [...this.#loaded.progs.keys()];
  }

  /** A map by its name in the source. Throws LoadError when there is none. */
  map(name: string): TypedMap {
    const map = this.maps[name];
    if (map === undefined) throw new LoadError(`no map '${name}' in the object; there are: ${Object.keys(this.maps).join(', ')}`);
    return map;
  }

  /** A loaded program: its descriptor, spec and log. Throws LoadError when there is none of that name. */
  program(name: string): LoadedProgram {
    const prog = this.#loaded.progs.get(name);
    if (prog === undefined) throw new LoadError(`no loaded program '${name}'; there are: ${this.programs.join(', ')}`);
    return prog;
  }

  /** The loop that feeds packets to a program; one per program, made on first use (options count then). */
  runner(name: string, options: RunnerOptions = {}): PacketRunner {
    const known = this.#runners.get(name) ?? new PacketRunner(this.kernel, this.program(name).fd, options);
    this.#runners.set(name, known);
    return known;
  }

  /** Runs a program on one Ethernet frame of at least 14 bytes. */
  run(name: string, frame: Uint8Array, timeNs?: bigint): RunResult {
    const runner = this.runner(name);
    const { retval, keptBytes } = runner.run(frame, timeNs);
    return { retval, verdict: runner.verdicts.name(retval), packet: keptBytes === 0 ? undefined : runner.packet().subarray(0, keptBytes) };
  }

  getGlobal(name: string): unknown {
    return this.#loaded.getGlobal(name);
  }
  setGlobal(name: string, value: GlobalValue): void {
    this.#loaded.setGlobal(name, value);
  }

  /** Takes the finished records of a ring buffer or the events of a perf buffer; `typeName` is a struct of the object's BTF to decode them as. */
  events(name: string, typeName?: string): BpfEvent[] {
    const map = this.kernel.map(this.map(name).map.fd);
    const taken: { cpu: number | undefined; bytes: Uint8Array }[] = [];
    if (map instanceof RingbufMap) map.consume((bytes) => taken.push({ cpu: undefined, bytes }));
    else taken.push(...this.#takePerfEvents(map.id));
    return taken.map(({ cpu, bytes }) => ({ cpu, bytes, value: typeName === undefined ? undefined : decodeAs(this.spec.btf, typeName, bytes) }));
  }

  #takePerfEvents(mapId: number): { cpu: number; bytes: Uint8Array }[] {
    const mine = this.#perfEvents.filter((event) => event.mapId === mapId);
    const others = this.#perfEvents.filter((event) => event.mapId !== mapId);
    this.#perfEvents.splice(0, this.#perfEvents.length, ...others);
    return mine.map((event) => ({ cpu: event.cpu, bytes: event.data }));
  }

  /** Closes programs, maps and BTF. */
  close(): void {
    this.#loaded.close();
  }
}

/** Loads an opened object into a simulated kernel: its maps, and the programs asked for (by default all that load by themselves). */
export const load = (spec: ObjectSpec, options: BpfObjectOptions = {}): BpfObject => new BpfObject(spec, options);
