// Writes pcap files, little-endian, with nanosecond timestamps: a header, then records; each call gives the bytes to append to the file.
// Invariant: what PcapWriter writes, PcapDecoder reads back to the same packets.
// Source: draft-ietf-opsawg-pcap.

import { viewOf } from '../util/bytes.ts';
import { FormatError } from '../util/errors.ts';
import { PCAP_HEADER_BYTES, PCAP_MAGIC_NS, PCAP_MAX_SNAPLEN, PCAP_RECORD_BYTES } from './pcap.ts';

const NANOS = 1_000_000_000n;

/** A packet to write; `origLen` is its length on the wire, by default what there is. */
export interface PacketToWrite { readonly timestampNs: bigint; readonly data: Uint8Array; readonly origLen?: number }

/** Writes one pcap file. */
export class PcapWriter {
  readonly #linkType: number;
  readonly #snapLen: number;
  #offset = 0;

  /** `linkType` is a LINKTYPE_* number, `snapLen` the longest packet that may be written (1 … 2^31-1). */
  constructor(linkType: number, snapLen: number = PCAP_MAX_SNAPLEN) {
    this.#linkType = linkType;
    this.#snapLen = snapLen;
  }

  /** The file header; to be written first. */
  header(): Uint8Array {
    const bytes = new Uint8Array(PCAP_HEADER_BYTES);
    const view = viewOf(bytes);
    view.setUint32(0, PCAP_MAGIC_NS, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, this.#snapLen, true);
    view.setUint32(20, this.#linkType, true);
    this.#offset += bytes.length;
    return bytes;
  }

  /** One record. Throws FormatError for a time before 1970 or after 2106-02-07, and for data longer than the snapshot length. */
  packet({ timestampNs, data, origLen = data.length }: PacketToWrite): Uint8Array {
    const seconds = timestampNs / NANOS;
    if (timestampNs < 0n || seconds > 0xffff_ffffn) throw new FormatError('pcap', `a time of ${timestampNs} ns can't be written (1970 … 2106)`, this.#offset);
    if (data.length > this.#snapLen) throw new FormatError('pcap', `a packet of ${data.length} bytes is longer than the snapshot length ${this.#snapLen}`, this.#offset);
    const bytes = new Uint8Array(PCAP_RECORD_BYTES + data.length);
    const view = viewOf(bytes);
    view.setUint32(0, Number(seconds), true);
    view.setUint32(4, Number(timestampNs % NANOS), true);
    view.setUint32(8, data.length, true);
    view.setUint32(12, origLen, true);
    bytes.set(data, PCAP_RECORD_BYTES);
    this.#offset += bytes.length;
    return bytes;
  }
}
