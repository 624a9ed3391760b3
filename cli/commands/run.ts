// `bpfkit run`: the main job. An object and a capture in; verdicts, events, maps and packets out.
// Invariant: the capture is streamed, memory stays flat (but for --repeat, which keeps it); every figure shown is measured in this run.

import { statSync } from 'node:fs';
import { CaptureReader, etherFrame, linkTypeName, load, open, PcapWriter, PROG_TYPES, type BpfObject, type ObjectSpec, type PacketRunner } from '../../src/index.ts';
import { UsageError } from '../../src/util/errors.ts';
import { readBytes, readChunks, wholeNumber, writeBytes } from '../files.ts';
import { fillMap, mapsAsJson, parseSetting, splitAssignment } from '../map-files.ts';
import { kernelBtf } from '../kernel.ts';
import { Progress } from '../progress.ts';
import { createReport, isEventMap, type Report, type Totals } from '../run-report.ts';

/** Options as the command line gives them. */
export interface RunOptions {
  readonly pcap: string;
  readonly prog?: string;
  readonly pcapOut?: string;
  readonly map: readonly string[];
  readonly set: readonly string[];
  readonly as: readonly string[];
  readonly mapsOut?: string;
  readonly repeat?: string;
  readonly cpus?: string;
  readonly fuel?: string;
  readonly engine: 'jit' | 'interp';
  readonly btf?: string;
  readonly json?: boolean;
}

const LINKTYPE_ETHERNET = 1;
const BPF_LOG_STATS = 4;
const MAX_CPUS = 64;

/** A packet ready to run: an Ethernet frame, its time, what was on the wire. */
interface Arrival { readonly frame: Uint8Array; readonly timeNs: bigint; readonly origLen: number }

/** Runs one program of the object over the capture and prints what came of it. */
export async function run(object: string, options: RunOptions): Promise<void> {
  const spec = open(readBytes(object), { name: object });
  const name = chooseProgram(spec, options.prog, object);
  const report = createReport(options.json === true, options.pcapOut === '-' || options.mapsOut === '-' ? process.stderr : process.stdout);
  const loaded = loadFor(spec, name, options, report);
  try {
    const job = new Job(loaded, name, options, report);
    await job.go();
    if (options.mapsOut !== undefined) writeBytes(options.mapsOut, mapsAsJson(loaded));
    report.maps(loaded);
  } finally {
    loaded.close();
  }
}

function chooseProgram(spec: ObjectSpec, asked: string | undefined, object: string): string {
  const names = spec.programs.map((prog) => `${prog.name} (${PROG_TYPES[prog.type]?.name ?? 'unknown type'})`);
  if (asked !== undefined) {
    if (!spec.programs.some((prog) => prog.name === asked)) throw new UsageError(`${object}: no program '${asked}'; there are: ${names.join(', ')}`);
    return asked;
  }
  const [only] = spec.programs;
  if (only === undefined) throw new UsageError(`${object}: no program in it`);
  if (spec.programs.length > 1) throw new UsageError(`${object} has several programs; choose one with --prog: ${names.join(', ')}`);
  return only.name;
}

function loadFor(spec: ObjectSpec, name: string, options: RunOptions, report: Report): BpfObject {
  const cpus = wholeNumber('--cpus', options.cpus ?? '1', 1, MAX_CPUS);
  const globals = Object.fromEntries(options.set.map((text) => splitAssignment('--set', text)).map(([variable, value]) => [variable, parseSetting(value)]));
  const loaded = load(spec, {
    programs: programsFor(spec, name), globals, kernelBtf: kernelBtf(options.btf), logLevel: BPF_LOG_STATS,
    kernel: {
      engine: options.engine, cpus, nowNs: () => process.hrtime.bigint(), onPrintk: (line) => report.printk(line),
      ...(options.fuel === undefined ? {} : { fuel: BigInt(wholeNumber('--fuel', options.fuel, 1, Number.MAX_SAFE_INTEGER)) }),
    },
  });
  for (const text of options.map) fillMap(loaded, ...splitAssignment('--map', text));
  report.program(loaded, name, options.engine);
  return loaded;
}

/** The program itself, and those that PROG_ARRAY slots of the object name as its tail calls. */
function programsFor(spec: ObjectSpec, name: string): string[] {
  const targets = spec.maps.flatMap((map) => map.slots.filter((slot) => slot.target === 'prog').map((slot) => slot.name));
  return [...new Set([name, ...targets])];
}

/** One pass (or several) over the capture. */
class Job {
  readonly #object: BpfObject;
  readonly #runner: PacketRunner;
  readonly #options: RunOptions;
  readonly #report: Report;
  readonly #events: readonly { readonly name: string; readonly typeName: string | undefined }[];
  readonly #out: Uint8Array[] = [];
  readonly #writer: PcapWriter | undefined;
  readonly #totals: Totals = { packets: 0, bytes: 0, elapsedNs: 0n, verdicts: new Map(), cut: 0, skipped: new Map() };

  constructor(object: BpfObject, name: string, options: RunOptions, report: Report) {
    this.#object = object;
    this.#runner = object.runner(name);
    this.#options = options;
    this.#report = report;
    const types = new Map(options.as.map((text) => splitAssignment('--as', text)));
    this.#events = Object.values(object.maps).filter((map) => isEventMap(map.type)).map((map) => ({ name: map.name, typeName: types.get(map.name) }));
    this.#writer = options.pcapOut === undefined ? undefined : new PcapWriter(LINKTYPE_ETHERNET);
    if (this.#writer !== undefined) this.#out.push(this.#writer.header());
  }

  async go(): Promise<void> {
    const { pcap } = this.#options;
    const repeat = wholeNumber('--repeat', this.#options.repeat ?? '1', 1, 1_000_000_000);
    const progress = new Progress(`bpfkit run ${pcap}`, pcap === '-' ? 0 : statSync(pcap).size);
    const reader = new CaptureReader();
    const kept: Arrival[] = [];
    for await (const chunk of readChunks(pcap)) {
      const arrivals = this.#arrivals(reader, chunk);
      this.#runAll(arrivals);
      if (repeat > 1) kept.push(...arrivals.map((each) => ({ ...each, frame: each.frame.slice() })));
      progress.update(reader.offset, () => `${this.#totals.packets} packets`);
    }
    reader.end();
    for (let pass = 1; pass < repeat; pass++) {
      this.#runAll(kept);
      progress.update(0, () => `pass ${pass + 1} of ${repeat}, ${this.#totals.packets} packets`);
    }
    progress.done();
    if (this.#writer !== undefined) writeBytes(this.#options.pcapOut as string, Buffer.concat(this.#out));
    this.#report.totals(this.#totals, pcap, reader.format ?? 'empty');
  }

  /** The chunk's packets as frames; what can't be one is counted by reason. */
  #arrivals(reader: CaptureReader, chunk: Uint8Array): Arrival[] {
    const arrivals: Arrival[] = [];
    for (const packet of reader.packets(chunk)) {
      const frame = etherFrame(packet.data, packet.linkType);
      if (packet.capLen < packet.origLen) this.#totals.cut++;
      if (frame === undefined) count(this.#totals.skipped, packet.data.length < 14 ? 'shorter than an Ethernet header' : `of ${linkTypeName(packet.linkType)}, which this hook can't take`);
      else arrivals.push({ frame, timeNs: packet.timestampNs, origLen: packet.origLen });
    }
    return arrivals;
  }

  #runAll(arrivals: readonly Arrival[]): void {
    const started = process.hrtime.bigint();
    for (const arrival of arrivals) this.#runOne(arrival);
    this.#totals.elapsedNs += process.hrtime.bigint() - started;
  }

  #runOne({ frame, timeNs }: Arrival): void {
    const { retval, keptBytes } = this.#runner.run(frame, timeNs);
    const totals = this.#totals;
    totals.packets++;
    totals.bytes += frame.length;
    const verdict = totals.verdicts.get(retval);
    if (verdict === undefined) totals.verdicts.set(retval, { name: this.#runner.verdicts.name(retval), packets: 1, bytes: frame.length });
    else {
      verdict.packets++;
      verdict.bytes += frame.length;
    }
    if (this.#events.length > 0) this.#drainEvents(timeNs);
    if (this.#writer !== undefined && keptBytes > 0) this.#write(keptBytes, timeNs, frame.length);
  }

  #write(keptBytes: number, timestampNs: bigint, origLen: number): void {
    const whole = this.#runner.packet();
    const data = whole.subarray(0, keptBytes);
    this.#out.push((this.#writer as PcapWriter).packet({ timestampNs, data, origLen: data.length < whole.length ? origLen : data.length }));
  }

  #drainEvents(timeNs: bigint): void {
    for (const { name, typeName } of this.#events) {
      for (const event of this.#object.events(name, typeName)) this.#report.event(name, timeNs, event, typeName);
    }
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
