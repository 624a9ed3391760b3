// Packets as a table of columns over the bytes they lie in: no object and no copy per packet.
// Invariant: for i < count, bytes[offsets[i] … offsets[i] + capLens[i]) are packet i's captured bytes; batch and bytes are valid until the
// reader that made them is fed again. Timestamps are nanoseconds since 1970 in two unsigned halves, so that no bigint is made per packet.

import { fromHalves } from '../util/u64.ts';

/** A packet for those who want one at a time. `data` is a view, not a copy. */
export interface CapturedPacket {
  /** Nanoseconds since 1970; 0 when the capture has none (simple packet blocks). */
  readonly timestampNs: bigint;
  /** Bytes captured, and bytes that were on the wire. */
  readonly capLen: number;
  readonly origLen: number;
  /** LINKTYPE_* number (spec/link-types.ts). */
  readonly linkType: number;
  /** Index into the reader's `interfaces`. */
  readonly ifIndex: number;
  readonly data: Uint8Array;
}

/** What a capture says of an interface. */
export interface CaptureInterface {
  readonly linkType: number;
  /** Longest packet that was captured whole; 0 for no limit. */
  readonly snapLen: number;
  /** Bytes of frame check sequence at each packet's end, if the capture says. */
  readonly fcsBytes: number;
  readonly name: string;
  /** Number of the pcapng section, from 0. */
  readonly section: number;
}

const FIRST_CAPACITY = 256;
const TWO_32 = 0x1_0000_0000;

function grown(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(old.length * 2);
  wider.set(old);
  return wider;
}

/** Columns of `count` packets. */
export class PacketBatch {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  offsets = new Uint32Array(FIRST_CAPACITY);
  capLens = new Uint32Array(FIRST_CAPACITY);
  origLens = new Uint32Array(FIRST_CAPACITY);
  timestampLo = new Uint32Array(FIRST_CAPACITY);
  timestampHi = new Uint32Array(FIRST_CAPACITY);
  /** Indexes into the reader's `interfaces`. */
  ifIndexes = new Uint32Array(FIRST_CAPACITY);

  /** Empties the batch for packets in `bytes`. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
  }

  /** Adds a packet, its time given as halves of nanoseconds. */
  add(offset: number, capLen: number, origLen: number, lo: number, hi: number, ifIndex: number): void {
    const at = this.count++;
    if (at >= this.offsets.length) this.#grow();
    this.offsets[at] = offset;
    this.capLens[at] = capLen;
    this.origLens[at] = origLen;
    this.timestampLo[at] = lo;
    this.timestampHi[at] = hi;
    this.ifIndexes[at] = ifIndex;
  }

  /** Adds a packet, its time given in whole seconds (0 … 2^32-1) and nanoseconds (0 … 2^42). */
  addSeconds(offset: number, capLen: number, origLen: number, seconds: number, nanos: number, ifIndex: number): void {
    // seconds * 1e9 has up to 62 bits: the two 16-bit halves of seconds keep every step below 2^53, and >>> 0 takes the low 32 bits of such a step.
    const low = (seconds & 0xffff) * 1e9 + nanos;
    const high = (seconds >>> 16) * 1e9;
    const sum = ((high << 16) >>> 0) + (low >>> 0);
    const hi = ((high / 0x1_0000) >>> 0) + ((low / TWO_32) >>> 0) + (sum >= TWO_32 ? 1 : 0);
    this.add(offset, capLen, origLen, sum >>> 0, hi, ifIndex);
  }

  #grow(): void {
    this.offsets = grown(this.offsets);
    this.capLens = grown(this.capLens);
    this.origLens = grown(this.origLens);
    this.timestampLo = grown(this.timestampLo);
    this.timestampHi = grown(this.timestampHi);
    this.ifIndexes = grown(this.ifIndexes);
  }

  /** Packet `at`'s time in nanoseconds since 1970. */
  timestampNs(at: number): bigint {
    return fromHalves(this.timestampLo[at] ?? 0, this.timestampHi[at] ?? 0);
  }

  /** Packet `at` as an object; its data is a view that the next feed makes invalid. */
  packet(at: number, interfaces: readonly CaptureInterface[]): CapturedPacket {
    const ifIndex = this.ifIndexes[at] ?? 0;
    const offset = this.offsets[at] ?? 0;
    const capLen = this.capLens[at] ?? 0;
    return {
      timestampNs: this.timestampNs(at), capLen, origLen: this.origLens[at] ?? 0, linkType: interfaces[ifIndex]?.linkType ?? 0, ifIndex,
      data: this.bytes.subarray(offset, offset + capLen),
    };
  }
}
