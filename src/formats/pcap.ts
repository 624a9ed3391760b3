// The pcap format: a 24-byte header, then records of a 16-byte header and the packet. Both byte orders, microseconds and nanoseconds,
// and the "modified" variant of old Linux (24-byte record headers).
// Invariant: a record longer than any snapshot length in use is damage, said with its place; nothing is allocated from a length field.
// Source: draft-ietf-opsawg-pcap; libpcap's sf-pcap.c for what readers must put up with (version 2.0–2.3 with swapped lengths).

import { FormatError } from '../util/errors.ts';
import type { CaptureDecoder, Stretch } from './capture-decoder.ts';
import type { CaptureInterface, PacketBatch } from './packet-batch.ts';

/** Magic numbers as read big-endian from the file's first four bytes. */
export const PCAP_MAGIC_US = 0xa1b2_c3d4;
export const PCAP_MAGIC_NS = 0xa1b2_3c4d;
export const PCAP_MAGIC_MODIFIED = 0xa1b2_cd34;

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;
/** Bytes of a record's header. */
export const PCAP_RECORD_BYTES = 16;
/** libpcap's MAXIMUM_SNAPLEN: longer records than this or the file's own snapshot length are damage. */
export const PCAP_MAX_SNAPLEN = 262_144;
/** Captures of other links than networks (USB) have records up to 128 MiB. */
const HARD_LIMIT = 128 << 20;
const MODIFIED_RECORD_BYTES = 24;
const LINKTYPE_MASK = 0x03ff_ffff;
const FCS_PRESENT = 0x0400_0000;

/** True when these four bytes, read big-endian, begin a pcap file of either byte order. */
export const isPcapMagic = (magic: number): boolean => {
  const swapped = swap32(magic);
  return [PCAP_MAGIC_US, PCAP_MAGIC_NS, PCAP_MAGIC_MODIFIED].some((known) => known === magic || known === swapped);
};

const swap32 = (value: number): number => ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

interface Header {
  readonly little: boolean;
  readonly recordBytes: number;
  /** Nanoseconds in a unit of the fraction: 1000 or 1. */
  readonly nanosPerUnit: number;
  readonly maxLength: number;
  /** Old writers stored the two lengths in the other order: never, always, or where it is plain from the values. */
  readonly swappedLengths: 'no' | 'yes' | 'maybe';
}

/** Decodes pcap files. */
export class PcapDecoder implements CaptureDecoder {
  readonly format = 'pcap';
  readonly interfaces: CaptureInterface[] = [];
  #header: Header | undefined;

  get expecting(): string {
    return this.#header === undefined ? 'the file header' : 'a packet record';
  }

  decode(stretch: Stretch, start: number, end: number, batch: PacketBatch): number {
    let at = start;
    if (this.#header === undefined) {
      if (end - at < PCAP_HEADER_BYTES) return at;
      this.#header = this.#readHeader(stretch, at);
      at += PCAP_HEADER_BYTES;
    }
    return decodeRecords(stretch, at, end, batch, this.#header);
  }

  needed(stretch: Stretch, start: number, available: number): number {
    const header = this.#header;
    if (header === undefined) return PCAP_HEADER_BYTES;
    if (available < header.recordBytes) return header.recordBytes;
    return header.recordBytes + lengthsAt(stretch, start, header).captured;
  }

  #readHeader({ view, base }: Stretch, at: number): Header {
    const magicBig = view.getUint32(at, false);
    const magicLittle = view.getUint32(at, true);
    const little = [PCAP_MAGIC_US, PCAP_MAGIC_NS, PCAP_MAGIC_MODIFIED].includes(magicLittle);
    const magic = little ? magicLittle : magicBig;
    if (!isPcapMagic(magic)) throw new FormatError('pcap', `no pcap magic number: ${hex32(magicBig)}`, base + at);
    const major = view.getUint16(at + 4, little);
    const minor = view.getUint16(at + 6, little);
    if (major !== 2) throw new FormatError('pcap', `version ${major}.${minor}; readers know 2.x`, base + at + 4);
    const snapLen = view.getUint32(at + 16, little);
    const network = view.getUint32(at + 20, little);
    const fcsBytes = (network & FCS_PRESENT) === 0 ? 0 : (network >>> 28) * 2;
    this.interfaces.push({ linkType: network & LINKTYPE_MASK, snapLen, fcsBytes, name: '', section: 0 });
    return {
      little, recordBytes: magic === PCAP_MAGIC_MODIFIED ? MODIFIED_RECORD_BYTES : PCAP_RECORD_BYTES,
      nanosPerUnit: magic === PCAP_MAGIC_NS ? 1 : 1000,
      maxLength: Math.min(Math.max(snapLen, PCAP_MAX_SNAPLEN), HARD_LIMIT),
      swappedLengths: minor < 3 ? 'yes' : minor === 3 ? 'maybe' : 'no',
    };
  }
}

/** The captured and original length of the record at `at`, checked. */
function lengthsAt({ view, base }: Stretch, at: number, header: Header): { captured: number; original: number } {
  const first = view.getUint32(at + 8, header.little);
  const second = view.getUint32(at + 12, header.little);
  const isSwapped = header.swappedLengths === 'yes' || (header.swappedLengths === 'maybe' && first > second);
  const captured = isSwapped ? second : first;
  if (captured > header.maxLength) {
    throw new FormatError('pcap', `a record of ${captured} captured bytes, where at most ${header.maxLength} are possible: the file is damaged here`, base + at + 8);
  }
  return { captured, original: isSwapped ? first : second };
}

/** The hot loop: no object per packet for current files. */
function decodeRecords(stretch: Stretch, start: number, end: number, batch: PacketBatch, header: Header): number {
  const { view } = stretch;
  const { little, recordBytes, nanosPerUnit, maxLength } = header;
  const isPlain = header.swappedLengths === 'no';
  let at = start;
  while (end - at >= recordBytes) {
    let captured = view.getUint32(at + 8, little);
    let original = view.getUint32(at + 12, little);
    if (!isPlain || captured > maxLength) ({ captured, original } = lengthsAt(stretch, at, header));
    const data = at + recordBytes;
    if (captured > end - data) return at;
    batch.addSeconds(data, captured, original, view.getUint32(at, little), view.getUint32(at + 4, little) * nanosPerUnit, 0);
    at = data + captured;
  }
  return at;
}

const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
