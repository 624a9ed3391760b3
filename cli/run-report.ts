// What `bpfkit run` prints: for people, or one JSON object per line. Nothing is shown that was not measured or counted in this run.

import type { BpfEvent, BpfObject, SentPacket } from '../src/index.ts';
import { showValue, toHex, toJson, type Btf } from '../src/index.ts';
import { mapElements } from './map-files.ts';
import { mapLines } from './map-text.ts';
import { logStats, type LogStats } from './log-stats.ts';

/** Counts of a run. */
export interface Totals {
  packets: number;
  bytes: number;
  /** Time in the loop: the packet laid into memory, the program run, events taken. */
  elapsedNs: bigint;
  readonly verdicts: Map<number, { readonly name: string; packets: number; bytes: number }>;
  /** Packets that the capture holds only the beginning of. */
  cut: number;
  /** Packets that could not be run, by reason. */
  readonly skipped: Map<string, number>;
}

/** Where the parts of a run are told. */
export interface Report {
  program(object: BpfObject, name: string, engine: string): void;
  printk(line: string): void;
  /** A copy that bpf_clone_redirect sent. */
  transmit(packet: SentPacket): void;
  /** `typeName`: the struct that the event was decoded as, if any. */
  event(map: string, timeNs: bigint, event: BpfEvent, typeName?: string): void;
  totals(totals: Totals, capture: string, format: string): void;
  maps(object: BpfObject): void;
}

/** A report on `out`. */
export function createReport(json: boolean, out: NodeJS.WritableStream): Report {
  return json ? jsonReport(out) : textReport(out);
}

function textReport(out: NodeJS.WritableStream): Report {
  const say = (text: string): void => void out.write(`${text}\n`);
  const events = new Map<string, number>();
  let btf: Btf | undefined;
  let spoke = false;
  return {
    program: (object, name, engine) => {
      ({ btf } = object.spec);
      for (const map of Object.values(object.maps)) if (isEventMap(map.type)) events.set(map.name, 0);
      const stats = logStats(object.program(name).log);
      say(`${name}: accepted by the verifier (${stats.processed_insns ?? '?'} instructions processed, ${stats.total_states ?? '?'} states${milliseconds(stats)}), ${
        engine === 'jit' ? 'compiled to WebAssembly' : 'interpreted'}\n`);
    },
    transmit: ({ ifindex, ingress, data }) => {
      spoke = true;
      say(`sent ${ingress ? 'into' : 'out of'} device ${ifindex}: ${toHex(data)}`);
    },
    printk: (line) => {
      spoke = true;
      say(`printk: ${line.replace(/\n$/, '')}`);
    },
    event: (map, _timeNs, event, typeName) => {
      spoke = true;
      events.set(map, (events.get(map) ?? 0) + 1);
      const cpu = event.cpu === undefined ? '' : ` CPU ${event.cpu}`;
      say(`event ${map}${cpu}: ${event.value === undefined ? toHex(event.bytes) : showValue(btf, btf?.findByName(typeName ?? '') ?? 0, event.value)}`);
    },
    totals: (totals, capture, format) => {
      if (spoke) say('');
      sayTotals(say, totals, capture, format);
    },
    maps: (object) => {
      for (const map of Object.values(object.maps)) say(`\n${mapLines(map, btf, events.get(map.name)).join('\n')}`);
    },
  };
}

/** Whether a map's records are taken as events during the run. */
export const isEventMap = (type: string): boolean => type === 'BPF_MAP_TYPE_RINGBUF' || type === 'BPF_MAP_TYPE_PERF_EVENT_ARRAY';

const milliseconds = ({ time_us: us }: LogStats): string => (us === undefined ? '' : `, ${(us / 1000).toFixed(2)} ms`);

function sayTotals(say: (text: string) => void, totals: Totals, capture: string, format: string): void {
  const width = Math.max(7, ...[...totals.verdicts.values()].map((verdict) => verdict.name.length));
  say(`${'verdict'.padEnd(width)}  ${'packets'.padStart(10)}  ${'bytes'.padStart(12)}`);
  for (const [, verdict] of [...totals.verdicts].sort(([a], [b]) => a - b)) {
    say(`${verdict.name.padEnd(width)}  ${String(verdict.packets).padStart(10)}  ${String(verdict.bytes).padStart(12)}`);
  }
  const { perSecond, nsPerPacket } = rates(totals);
  const speed = totals.packets === 0 ? '' : ` in ${(Number(totals.elapsedNs) / 1e6).toFixed(2)} ms: ${Math.round(perSecond).toLocaleString('en')} packets/s, ${nsPerPacket.toFixed(0)} ns/packet`;
  say(`\n${totals.packets} packets, ${totals.bytes} bytes from ${capture} (${format})${speed}`);
  if (totals.cut > 0) say(`${totals.cut} ${totals.cut === 1 ? 'packet was' : 'packets were'} cut by the capture's snap length: the program saw only what is there`);
  for (const [reason, count] of totals.skipped) say(`${count} ${count === 1 ? 'packet' : 'packets'} left out: ${reason}`);
}

function rates(totals: Totals): { perSecond: number; nsPerPacket: number } {
  const nsPerPacket = totals.packets === 0 ? 0 : Number(totals.elapsedNs) / totals.packets;
  return { nsPerPacket, perSecond: nsPerPacket === 0 ? 0 : 1e9 / nsPerPacket };
}

function jsonReport(out: NodeJS.WritableStream): Report {
  const say = (text: string): void => void out.write(`${text}\n`);
  return {
    program: (object, name, engine) => say(JSON.stringify({ type: 'program', name, verdict: 'accept', engine, ...logStats(object.program(name).log) })),
    transmit: ({ ifindex, ingress, data }) => say(JSON.stringify({ type: 'transmit', ifindex, ingress, hex: toHex(data) })),
    printk: (line) => say(JSON.stringify({ type: 'printk', line: line.replace(/\n$/, '') })),
    event: (map, timeNs, event) => say(`{"type":"event","map":${JSON.stringify(map)},"time_ns":${timeNs},"cpu":${event.cpu ?? 'null'},"hex":"${toHex(event.bytes)}","value":${
      event.value === undefined ? 'null' : toJson(event.value)}}`),
    totals: (totals, capture, format) => {
      const verdicts = [...totals.verdicts].map(([retval, verdict]) => ({ retval, ...verdict }));
      const { perSecond, nsPerPacket } = rates(totals);
      say(JSON.stringify({
        type: 'totals', capture, format, packets: totals.packets, bytes: totals.bytes, elapsed_ns: Number(totals.elapsedNs), packets_per_s: Math.round(perSecond),
        ns_per_packet: Number(nsPerPacket.toFixed(1)), cut: totals.cut, skipped: Object.fromEntries(totals.skipped), verdicts,
      }));
    },
    maps: (object) => {
      for (const map of Object.values(object.maps)) {
        const entries = mapElements(map)?.map((element) => toJson({ ...element }));
        say(`{"type":"map","name":${JSON.stringify(map.name)},"map_type":"${map.type}","entries":${entries === undefined ? 'null' : `[${entries.join(',')}]`}}`);
      }
    },
  };
}
