// Runs one packet program on one packet after another, as its hook would: the loop of the main job.
// Invariant: each packet sees a fresh context, the clock at its own time, and the CPU that its flow is steered to.

import { VERDICT_READERS, type VerdictReader } from './verdicts.ts';
import type { SkbHook } from '../kernel/hooks/skb.ts';
import type { XdpHook } from '../kernel/hooks/xdp.ts';
import type { NetDevice } from '../kernel/net.ts';
import { clearRedirect } from '../kernel/packet-memory.ts';
import type { SimKernel } from '../kernel/sim-kernel.ts';
import type { SimProg } from '../kernel/sim-prog.ts';
import { BPF_PROG_TYPE_XDP, progTypeName } from '../spec/prog-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { steer } from './steer.ts';

/** Where packets come in, and whether they go out. */
export interface RunnerOptions {
  /** Device that packets arrive on (or leave by); 2 by default, added to the simulated network when it isn't there. */
  readonly ifindex?: number;
}

/** One packet's outcome. */
export interface PacketResult {
  /** r0's low 32 bits, unsigned. */
  readonly retval: number;
  /** Bytes that go on, 0 … the packet's length. */
  readonly keptBytes: number;
}

/** A hook as the loop uses it. */
interface Hook { readonly put: (frame: Uint8Array) => void; readonly context: number; readonly packet: () => Uint8Array }

const DEFAULT_IFINDEX = 2;
const DEVICE_MAC = new Uint8Array([0x02, 0, 0, 0, 0, 0x0b]);

/** Feeds packets to a program. Throws NotSupportedError for program types that take no packets. */
export class PacketRunner {
  readonly verdicts: VerdictReader;
  readonly #kernel: SimKernel;
  readonly #prog: SimProg;
  readonly #hook: Hook;

  constructor(kernel: SimKernel, progFd: number, options: RunnerOptions = {}) {
    this.#kernel = kernel;
    this.#prog = kernel.prog(progFd);
    const verdicts = VERDICT_READERS.get(this.#prog.progType);
    if (verdicts === undefined) throw new NotSupportedError(`running ${progTypeName(this.#prog.progType)} on packets`);
    this.verdicts = verdicts;
    const device = arrivalDevice(kernel, options.ifindex ?? DEFAULT_IFINDEX);
    this.#hook = this.#prog.progType === BPF_PROG_TYPE_XDP ? xdpHook(kernel.xdp, device) : skbHook(kernel.skb, device);
  }

  /** Runs the program on an Ethernet frame that arrives at `timeNs` (undefined: the clock stays). Throws Fault when the fuel runs out. */
  run(frame: Uint8Array, timeNs?: bigint): PacketResult {
    const { machine } = this.#kernel;
    if (timeNs !== undefined) machine.clock.set(timeNs);
    if (machine.areas.length > 1) machine.switchTo(steer(frame, machine.areas.length));
    clearRedirect(machine.memory, machine.area);
    this.#hook.put(frame);
    const retval = this.#kernel.runProg(this.#prog, this.#hook.context);
    return { retval, keptBytes: this.verdicts.keeps(retval) };
  }

  /** A copy of the last packet as the program left it. */
  packet(): Uint8Array {
    return this.#hook.packet();
  }
}

/** The device of that index, plugged in first where the network has none. */
function arrivalDevice(kernel: SimKernel, ifindex: number): NetDevice {
  const known = kernel.net.device(ifindex);
  if (known !== undefined) return known;
  const device = { ifindex, name: `eth${ifindex}`, mac: DEVICE_MAC, mtu: 1500 };
  kernel.net.addDevice(device);
  return device;
}

function xdpHook(xdp: XdpHook, { ifindex }: NetDevice): Hook {
  const ingress = { ifindex, rxQueue: 0 };
  return { put: (frame) => xdp.put(frame, ingress), context: xdp.context, packet: () => xdp.packet() };
}

function skbHook(skb: SkbHook, device: NetDevice): Hook {
  const arrival = { device, linkLayer: true, ingressIfindex: device.ifindex, untag: true };
  return { put: (frame) => skb.put(frame, arrival), context: skb.context, packet: () => skb.packet(true) };
}
