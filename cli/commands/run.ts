// `bpfkit run`: the main job. An object and a capture in; verdicts, events, maps and packets out.
// Invariant: the capture is streamed, memory stays flat (but for --repeat, which keeps it); every figure shown is measured in this run.

import { BPF_LOG_STATS, CaptureReader, etherFrame, linkTypeName, load, open, PcapWriter, progTypeName, type BpfObject, type ObjectSpec, type PacketRunner } from '../../src/index.ts';
import { BpfkitError, UsageError } from '../../src/util/errors.ts';
import { checkOutput, fileSize, fromFile, nameFile, OutputFile, readBytes, readChunks, wholeNumber, writeBytes } from '../files.ts';
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
const MAX_CPUS = 64;

/** A packet ready to run: an Ethernet frame, its time, what was on the wire. */
interface Arrival { readonly frame: Uint8Array; readonly timeNs: bigint; readonly origLen: number }

/** Runs one program of the object over the capture and prints what came of it. */
export async function run(object: string, options: RunOptions): Promise<void> {
  checkFiles(object, options);
  const spec = fromFile(object, () => open(readBytes(object), { name: object }));
  const name = chooseProgram(spec, options.prog, object);
  const report = createReport(options.json === true, options.pcapOut === '-' || options.mapsOut === '-' ? process.stderr : process.stdout);
  const loaded = loadFor(spec, name, options, report);
  try {
    const job = new Job(loaded, name, options, report);
    report.program(loaded, name, options.engine);
    const broken = await job.go();
    if (broken === undefined && options.mapsOut !== undefined) writeBytes(options.mapsOut, mapsAsJson(loaded));
    report.maps(loaded);
    if (broken !== undefined) throw broken;
  } finally {
    loaded.close();
  }
}

/** What can be known to be wrong before anything is loaded. */
function checkFiles(object: string, options: RunOptions): void {
  if (object === '-' && options.pcap === '-') throw new UsageError('object and capture cannot both come from stdin');
  if (options.pcapOut === '-' && options.mapsOut === '-') throw new UsageError('--pcap-out and --maps-out cannot both go to stdout');
  fileSize(object);
  fileSize(options.pcap);
  checkOutput(options.pcapOut);
  checkOutput(options.mapsOut);
}

function chooseProgram(spec: ObjectSpec, asked: string | undefined, object: string): string {
  const names = spec.programs.map((prog) => `${prog.name} (${progTypeName(prog.type)})`);
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
      engine: options.engine, cpus, nowNs: () => process.hrtime.bigint(), onPrintk: (line) => report.printk(line), onTransmit: (packet) => report.transmit(packet),
      ...(options.fuel === undefined ? {} : { fuel: BigInt(wholeNumber('--fuel', options.fuel, 1, Number.MAX_SAFE_INTEGER)) }),
    },
  });
  try {
    for (const text of options.map) fillMap(loaded, ...splitAssignment('--map', text));
  } catch (error) {
    loaded.close();
    throw error;
  }
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
  readonly #repeat: number;
  readonly #writer: { readonly pcap: PcapWriter; readonly file: OutputFile } | undefined;
  readonly #totals: Totals = { packets: 0, bytes: 0, elapsedNs: 0n, verdicts: new Map(), cut: 0, skipped: new Map() };

  constructor(object: BpfObject, name: string, options: RunOptions, report: Report) {
    this.#object = object;
    this.#runner = object.runner(name);
    this.#options = options;
    this.#report = report;
    this.#repeat = wholeNumber('--repeat', options.repeat ?? '1', 1, 1_000_000_000);
    const types = new Map(options.as.map((text) => splitAssignment('--as', text)));
    this.#events = Object.values(object.maps).filter((map) => isEventMap(map.type)).map((map) => ({ name: map.name, typeName: types.get(map.name) }));
    this.#checkTypes(types);
    this.#writer = options.pcapOut === undefined ? undefined : { pcap: new PcapWriter(LINKTYPE_ETHERNET), file: new OutputFile(options.pcapOut) };
  }

  #checkTypes(types: ReadonlyMap<string, string>): void {
    for (const [name, typeName] of types) {
      if (!this.#events.some((map) => map.name === name)) throw new UsageError(`--as ${name}=${typeName}: '${name}' is no ring or perf buffer of the object; there are: ${this.#events.map((map) => map.name).join(', ') || 'none'}`);
      if (this.#object.spec.btf?.findByName(typeName) === undefined) throw new UsageError(`--as ${name}=${typeName}: no type '${typeName}' in the object's BTF`);
    }
  }

  /** Runs every packet. What is wrong with the capture is returned, after the packets before it have been counted. */
  async go(): Promise<BpfkitError | undefined> {
    const { pcap } = this.#options;
    const reader = new CaptureReader();
    try {
      this.#writer?.file.write(this.#writer.pcap.header());
      const broken = await this.#passes(reader);
      if (broken === undefined) this.#writer?.file.finish();
      this.#report.totals(this.#totals, pcap, reader.format ?? 'empty');
      return broken;
    } finally {
      this.#writer?.file.abandon();
    }
  }

  async #passes(reader: CaptureReader): Promise<BpfkitError | undefined> {
    const { pcap } = this.#options;
    const progress = new Progress(`bpfkit run ${pcap}`, fileSize(pcap));
    const kept: Arrival[] = [];
    if (pcap === '-') process.once('SIGINT', () => {});
    try {
      const broken = await this.#firstPass(reader, kept, progress);
      if (broken !== undefined) return broken;
      for (let pass = 1; pass < this.#repeat; pass++) {
        this.#runAll(kept);
        await this.#writer?.file.drained();
        progress.update(0, () => `pass ${pass + 1} of ${this.#repeat}, ${this.#totals.packets} packets`);
      }
      return undefined;
    } finally {
      progress.done();
    }
  }

  /** Over the capture as it comes. An interrupt of a pipe ends its writer; what it has sent until then is run and told. */
  async #firstPass(reader: CaptureReader, kept: Arrival[], progress: Progress): Promise<BpfkitError | undefined> {
    const chunks = readChunks(this.#options.pcap);
    for (;;) {
      const arrivals: Arrival[] = [];
      const more = await this.#nextArrivals(reader, chunks, arrivals);
      this.#runAll(arrivals);
      await this.#writer?.file.drained();
      if (this.#repeat > 1) for (const each of arrivals) kept.push({ ...each, frame: each.frame.slice() });
      progress.update(reader.offset, () => `${this.#totals.packets} packets`);
      if (more !== true) return more;
    }
  }

  /** Adds a chunk's packets; true when there may be more, undefined at the end, or what is wrong with the capture. */
  async #nextArrivals(reader: CaptureReader, chunks: AsyncGenerator<Uint8Array>, arrivals: Arrival[]): Promise<true | undefined | BpfkitError> {
    try {
      const { done, value } = await chunks.next();
      if (done === true) {
        reader.end();
        return undefined;
      }
      this.#collect(reader, value, arrivals);
      return true;
    } catch (error) {
      if (error instanceof BpfkitError) return error instanceof UsageError ? error : nameFile(this.#options.pcap, error);
      throw error;
    }
  }

  /** The chunk's packets as frames; what can't be one is counted by reason. */
  #collect(reader: CaptureReader, chunk: Uint8Array, arrivals: Arrival[]): void {
    for (const packet of reader.packets(chunk)) {
      const frame = etherFrame(packet.data, packet.linkType);
      if (packet.capLen < packet.origLen) this.#totals.cut++;
      if (frame === undefined) count(this.#totals.skipped, packet.data.length < 14 ? 'shorter than an Ethernet header' : `of ${linkTypeName(packet.linkType)}, which this hook can't take`);
      else arrivals.push({ frame, timeNs: packet.timestampNs, origLen: packet.origLen });
    }
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
    this.#writer?.file.write(this.#writer.pcap.packet({ timestampNs, data, origLen: data.length < whole.length ? origLen : data.length }));
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
