// A program in a simulated kernel. Timed is `executable.run` from JavaScript, packet after packet, with the context laid out anew for each:
// what the loop of the main job does without copying the packet in. Beside it stand the same without the context and on one packet only (what
// BPF_PROG_TEST_RUN times), and PacketRunner.run, the entry of the main job, which copies each frame into the memory.
// Invariant: frames lie in linear memory with a driver's head and tail room; whatever a program does to them stays, as in a test run.

import { loadObject, PacketRunner, SimKernel, type LoadedObject, type ObjectSpec } from '../src/index.ts';
import { XDP_TAILROOM } from '../src/kernel/hooks/xdp.ts';
import { XDP_PACKET_HEADROOM } from '../src/spec/limits.ts';
import { RingbufMap } from '../src/maps/ringbuf-map.ts';
import { STATE } from '../src/maps/layout.ts';
import { XDP_BUFF } from '../src/spec/context.ts';
import { XdpBuff } from '../src/vm/context.ts';
import { defined } from '../src/util/assert.ts';
import { roundUp } from '../src/util/bytes.ts';
import { fnv, BenchMaps } from './maps.ts';
import type { BenchProgram } from './suite.ts';
import { XDP_ABORTED, type PassResult, type Subject } from './subject.ts';

const WINDOW_NS = 1_500_000;
const WARM_UP_MS = { jit: 250, interp: 60 } as const;
const LINE_BYTES = 64;

/** Where the loop writes a packet's place, and where packets start and end; memory offsets. */
interface Frames {
  readonly context: number;
  readonly data: number;
  readonly dataEnd: number;
  readonly dataMeta: number;
  readonly hardStart: number;
  readonly headroom: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

type Loop = (run: (context: number) => number, view: DataView, frames: Frames, from: number, count: number) => number;

/** Runs `count` packets from number `from` on; the sum of their verdicts. It names nothing outside itself: see `freshCopy`. */
function loop(run: (context: number) => number, view: DataView, frames: Frames, from: number, count: number): number {
  const { context, data, dataEnd, dataMeta, hardStart, headroom, starts, ends } = frames;
  let verdicts = 0;
  let at = from;
  for (let i = 0; i < count; i++) {
    const start = starts[at] as number;
    view.setUint32(data, start, true);
    view.setUint32(dataMeta, start, true);
    view.setUint32(hardStart, start - headroom, true);
    view.setUint32(dataEnd, ends[at] as number, true);
    verdicts = (verdicts + run(context)) | 0;
    at = at + 1 === starts.length ? 0 : at + 1;
  }
  return verdicts >>> 0;
}

/** The same without any context or packet but the last; names nothing outside itself either. */
function bareLoop(run: (context: number) => number, context: number, count: number): number {
  let verdicts = 0;
  for (let i = 0; i < count; i++) verdicts = (verdicts + run(context)) | 0;
  return verdicts >>> 0;
}

/**
 * A function of the same text. V8 learns the target of a call per text: in a loop that has called both executors, calling the JIT's code costs several
 * ns more than it ever does in a program that uses one of them.
 */
// oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval, no-new-func
const freshCopy = <T extends Function>(fn: T, tag: string): T => new Function(`return (${fn.toString()}) // ${tag}`)() as T;

function layOut(kernel: SimKernel, packets: readonly Uint8Array[]): Frames {
  const { memory } = kernel.machine;
  const longest = Math.max(...packets.map((packet) => packet.length));
  const strideBytes = roundUp(XDP_PACKET_HEADROOM + longest + XDP_TAILROOM, LINE_BYTES);
  const first = memory.alloc(strideBytes * packets.length, LINE_BYTES);
  const buff = new XdpBuff(memory, memory.alloc(XDP_BUFF.sizeBytes, LINE_BYTES));
  const starts = Uint32Array.from(packets, (_, i) => first + i * strideBytes + XDP_PACKET_HEADROOM);
  packets.forEach((packet, i) => memory.bytes.set(packet, starts[i]));
  buff.init({ frame: first, frameBytes: strideBytes, headroom: XDP_PACKET_HEADROOM, dataLength: (packets[0] as Uint8Array).length, ingressIfindex: 1 });
  const offset = buff.record;
  return {
    context: offset, data: offset + XDP_BUFF.data, dataEnd: offset + XDP_BUFF.data_end, dataMeta: offset + XDP_BUFF.data_meta,
    hardStart: offset + XDP_BUFF.data_hard_start, headroom: XDP_PACKET_HEADROOM, starts, ends: starts.map((start, i) => start + (packets[i] as Uint8Array).length),
  };
}

/** A program in a simulated kernel with one CPU. */
export class SimSubject implements Subject {
  readonly engine: 'jit' | 'interp';
  readonly kernel: SimKernel;
  readonly maps: BenchMaps;
  runs = 0n;
  readonly #program: BenchProgram;
  readonly #packets: readonly Uint8Array[];
  readonly #object: LoadedObject;
  readonly #fd: number;
  readonly #frames: Frames;
  readonly #run: (context: number) => number;
  readonly #loop: Loop;
  readonly #bareLoop: typeof bareLoop;
  readonly #runner: PacketRunner;
  #next = 0;
  #window = 16;

  /** Loads and fills. Throws what loading throws. */
  constructor(engine: 'jit' | 'interp', program: BenchProgram, spec: ObjectSpec, packets: readonly Uint8Array[]) {
    this.engine = engine;
    this.#program = program;
    this.#packets = packets;
    this.kernel = new SimKernel({ engine });
    this.#object = loadObject(spec, this.kernel, { programs: program.programs });
    this.#fd = defined(this.#object.progs.get(program.programs[0]), 'the program just loaded').fd;
    this.maps = new BenchMaps(this.kernel, this.#object);
    program.setUp?.(this.maps);
    this.#frames = layOut(this.kernel, packets);
    const { executable } = this.kernel.prog(this.#fd);
    this.#run = (context) => executable.run(context);
    this.#loop = freshCopy(loop, `${program.name} ${engine}`);
    this.#bareLoop = freshCopy(bareLoop, `${program.name} ${engine}`);
    this.#runner = new PacketRunner(this.kernel, this.#fd);
  }

  pass(): PassResult {
    let [verdicts, aborted, packets] = [0, 0, 0];
    for (let i = 0; i < this.#packets.length; i++) {
      const verdict = this.#runPackets(i, 1);
      verdicts = (verdicts + verdict) >>> 0;
      if (verdict === XDP_ABORTED) aborted++;
      const { view, bytes } = this.kernel.machine.memory;
      packets = fnv(bytes.subarray(view.getUint32(this.#frames.data, true), view.getUint32(this.#frames.dataEnd, true)), packets);
    }
    return { verdicts, aborted, packets };
  }

  #runPackets(from: number, count: number): number {
    this.runs += BigInt(count);
    return this.#loop(this.#run, this.kernel.machine.memory.view, this.#frames, from, count);
  }

  warmUp(): void {
    this.measure(WARM_UP_MS[this.engine]);
  }

  measure(ms: number): number[] {
    return this.#windows(ms, (count) => {
      this.#runPackets(this.#next, count);
      this.#next = (this.#next + count) % this.#packets.length;
    });
  }

  /** ns per run on one packet, its context never laid out again. */
  measureBare(ms: number): number[] {
    return this.#windows(ms, (count) => {
      this.runs += BigInt(count);
      this.#bareLoop(this.#run, this.#frames.context, count);
    });
  }

  /** ns per packet through PacketRunner, the entry of the main job: the frame is copied in, the clock and CPU are set. */
  measureRunner(ms: number): number[] {
    return this.#windows(ms, (count) => {
      this.runs += BigInt(count);
      for (let i = 0; i < count; i++) this.#runner.run(this.#packets[i % this.#packets.length] as Uint8Array);
    });
  }

  /** Windows of about WINDOW_NS until the time is over, at least one. */
  #windows(ms: number, body: (count: number) => void): number[] {
    const samples: number[] = [];
    const end = performance.now() + ms;
    do {
      this.#drain();
      const count = Math.min(this.#window, this.#program.ringRuns ?? Infinity);
      const started = process.hrtime.bigint();
      body(count);
      const ns = Number(process.hrtime.bigint() - started);
      if (ns * 2 >= WINDOW_NS || count < this.#window) samples.push(ns / count);
      this.#window = Math.max(4, Math.min(1 << 22, Math.round((count * WINDOW_NS) / Math.max(ns, 1))));
    } while (performance.now() < end || samples.length === 0);
    return samples;
  }

  /** Empties the ring buffer as a consumer does that looks at nothing. */
  #drain(): void {
    if (this.#program.ringRuns === undefined) return;
    const map = this.kernel.map(defined(this.#object.maps.get('events'), "map 'events'").fd);
    if (!(map instanceof RingbufMap)) return;
    const { view } = this.kernel.machine.memory;
    view.setBigUint64(map.header + STATE.consumerPos, view.getBigUint64(map.header + STATE.producerPos, true), true);
  }

  close(): void {
    this.#object.close();
  }
}
