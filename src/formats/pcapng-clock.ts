// Timestamps of pcapng interfaces: a 64-bit count of units (if_tsresol) plus seconds (if_tsoffset) → nanoseconds since 1970, in halves.
// Invariant: micro- and nanoseconds without an offset take no bigint, for they are in nearly every file; results wrap to 64 bits.
// Source: draft-ietf-opsawg-pcapng section 4.2 (if_tsresol: the top bit says powers of two).

import { hi32, lo32 } from '../util/u64.ts';
import type { PacketBatch } from './packet-batch.ts';

/** Adds packets whose time is a count of an interface's units, given as halves. */
export interface Clock {
  readonly add: (batch: PacketBatch, offset: number, capLen: number, origLen: number, unitsHi: number, unitsLo: number, ifIndex: number) => void;
}

const TWO_32 = 0x1_0000_0000;
const NANOS = 1_000_000_000n;

const NANOSECONDS: Clock = {
  add: (batch, offset, capLen, origLen, unitsHi, unitsLo, ifIndex) => batch.add(offset, capLen, origLen, unitsLo, unitsHi, ifIndex),
};

const MICROSECONDS: Clock = {
  add: (batch, offset, capLen, origLen, unitsHi, unitsLo, ifIndex) => {
    const low = unitsLo * 1000;
    batch.add(offset, capLen, origLen, low >>> 0, (unitsHi * 1000 + ((low / TWO_32) >>> 0)) >>> 0, ifIndex);
  },
};

/** Units in a second for an if_tsresol byte. */
const unitsPerSecond = (resolution: number): bigint => {
  const exponent = BigInt(resolution & 0x7f);
  return (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
};

/** The clock of an interface: `resolution` is its if_tsresol byte (6 when absent), `offsetSeconds` its if_tsoffset. */
export function clockOf(resolution: number, offsetSeconds: bigint): Clock {
  if (offsetSeconds === 0n && resolution === 6) return MICROSECONDS;
  if (offsetSeconds === 0n && resolution === 9) return NANOSECONDS;
  const perSecond = unitsPerSecond(resolution);
  const offsetNs = offsetSeconds * NANOS;
  return {
    add: (batch, offset, capLen, origLen, unitsHi, unitsLo, ifIndex) => {
      const units = (BigInt(unitsHi) << 32n) | BigInt(unitsLo);
      const ns = (units * NANOS) / perSecond + offsetNs;
      batch.add(offset, capLen, origLen, lo32(ns), hi32(ns), ifIndex);
    },
  };
}
