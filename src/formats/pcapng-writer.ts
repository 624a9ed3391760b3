// Writes pcapng files, little-endian, one section, nanosecond timestamps; each call gives the bytes to append to the file.
// Invariant: what PcapngWriter writes, PcapngDecoder reads back to the same packets and interfaces.
// Source: draft-ietf-opsawg-pcapng.

import { roundUp, viewOf } from '../util/bytes.ts';
import { FormatError } from '../util/errors.ts';
import { hi32, lo32, U64_MAX } from '../util/u64.ts';
import type { PacketToWrite } from './pcap-writer.ts';
import {
  PCAPNG_BYTE_ORDER_MAGIC, PCAPNG_EPB, PCAPNG_IDB, PCAPNG_IF_NAME, PCAPNG_IF_TSRESOL, PCAPNG_MAX_BLOCK_BYTES, PCAPNG_SHB,
} from './pcapng.ts';

const FRAME_BYTES = 12;
const EPB_FIXED_BYTES = 20;
const NANOSECONDS = 9;

/** A block around a body whose length is a multiple of 4. */
function block(type: number, bodyBytes: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES + bodyBytes);
  const view = viewOf(bytes);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(bytes.length - 4, bytes.length, true);
  fill(new DataView(bytes.buffer, 8, bodyBytes), bytes.subarray(8, 8 + bodyBytes));
  return bytes;
}

/** Writes one pcapng file. */
export class PcapngWriter {
  #interfaces = 0;
  #offset = 0;

  #written(bytes: Uint8Array): Uint8Array {
    this.#offset += bytes.length;
    return bytes;
  }

  /** The section header; to be written first. */
  header(): Uint8Array {
    return this.#written(block(PCAPNG_SHB, 16, (view) => {
      view.setUint32(0, PCAPNG_BYTE_ORDER_MAGIC, true);
      view.setUint16(4, 1, true);
      // Section length unknown, as of every writer to a pipe.
      view.setBigUint64(8, U64_MAX, true);
    }));
  }

  /** Describes the next interface (numbered from 0); to be written before its packets. `snapLen` 0 means no limit. */
  interface(linkType: number, name = '', snapLen = 0): Uint8Array {
    const nameBytes = new TextEncoder().encode(name);
    if (nameBytes.length > 0xffff) throw new FormatError('pcapng', `an interface name of ${nameBytes.length} bytes`, this.#offset);
    const nameRoom = name === '' ? 0 : 4 + roundUp(nameBytes.length, 4);
    this.#interfaces++;
    return this.#written(block(PCAPNG_IDB, 8 + nameRoom + 12, (view, body) => {
      view.setUint16(0, linkType, true);
      view.setUint32(4, snapLen, true);
      if (nameRoom > 0) {
        view.setUint16(8, PCAPNG_IF_NAME, true);
        view.setUint16(10, nameBytes.length, true);
        body.set(nameBytes, 12);
      }
      view.setUint16(8 + nameRoom, PCAPNG_IF_TSRESOL, true);
      view.setUint16(10 + nameRoom, 1, true);
      view.setUint8(12 + nameRoom, NANOSECONDS);
    }));
  }

  /** One enhanced packet block. Throws FormatError for an interface not described, a time outside 64 bits, or data over 16 MiB. */
  packet({ timestampNs, data, origLen = data.length }: PacketToWrite, ifIndex = 0): Uint8Array {
    if (ifIndex >= this.#interfaces) throw new FormatError('pcapng', `interface ${ifIndex} isn't described yet`, this.#offset);
    if (timestampNs < 0n || timestampNs > U64_MAX) throw new FormatError('pcapng', `a time of ${timestampNs} ns can't be written`, this.#offset);
    const bodyBytes = EPB_FIXED_BYTES + roundUp(data.length, 4);
    if (bodyBytes + FRAME_BYTES > PCAPNG_MAX_BLOCK_BYTES) throw new FormatError('pcapng', `a packet of ${data.length} bytes is too long for a block`, this.#offset);
    return this.#written(block(PCAPNG_EPB, bodyBytes, (view, body) => {
      view.setUint32(0, ifIndex, true);
      view.setUint32(4, hi32(timestampNs), true);
      view.setUint32(8, lo32(timestampNs), true);
      view.setUint32(12, data.length, true);
      view.setUint32(16, origLen, true);
      body.set(data, EPB_FIXED_BYTES);
    }));
  }
}
