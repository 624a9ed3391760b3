// Reads a capture from a stream of chunks, whatever its format: detects pcap and pcapng by their magic numbers, names what it can't read.
// Invariant: memory stays flat: besides the caller's chunk there is one incomplete record at most (≤ 128 MiB, and never more than was fed).
// Packets in the middle of a chunk are not copied; the one that straddles two chunks is put together once.

import { viewOf } from '../util/bytes.ts';
import { FormatError } from '../util/errors.ts';
import type { CaptureDecoder, Stretch } from './capture-decoder.ts';
import { PacketBatch } from './packet-batch.ts';
import type { CapturedPacket, CaptureInterface } from './packet-batch.ts';
import { isPcapMagic, PcapDecoder } from './pcap.ts';
import { PCAPNG_SHB, PcapngDecoder } from './pcapng.ts';

/** What a file's first bytes say it is; `undefined` for anything else. 'gzip' needs two bytes, the others four. */
export type CaptureFormat = 'pcap' | 'pcapng' | 'gzip';

/** Formats that are recognised only to say so. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['28b52ffd', 'zstd-compressed: decompress it first'],
  ['fd377a58', 'xz-compressed: decompress it first'],
  ['425a68', 'bzip2-compressed: decompress it first'],
  ['04224d18', 'lz4-compressed: decompress it first'],
  ['736e6f6f', "a Solaris snoop capture, which isn't supported"],
  ['52544353', "a Microsoft NetMon capture, which isn't supported"],
  ['474d4255', "a Microsoft NetMon capture, which isn't supported"],
  ['7f454c46', 'an ELF object, no capture'],
];

/** The format that these first bytes of a file begin. */
export function detectCaptureFormat(bytes: Uint8Array): CaptureFormat | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes.length < 4) return undefined;
  const magic = viewOf(bytes).getUint32(0, false);
  if (magic === PCAPNG_SHB) return 'pcapng';
  return isPcapMagic(magic) ? 'pcap' : undefined;
}

function unreadable(bytes: Uint8Array): FormatError {
  if (detectCaptureFormat(bytes) === 'gzip') return new FormatError('capture', 'gzip-compressed: decompress it first', 0);
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const known = FOREIGN.find(([magic]) => start.startsWith(magic));
  return new FormatError('capture', known?.[1] ?? `neither pcap nor pcapng: the file begins with ${start.replace(/..(?=.)/g, '$& ')}`, 0);
}

function decoderFor(bytes: Uint8Array): CaptureDecoder {
  const format = detectCaptureFormat(bytes);
  if (format === 'pcap') return new PcapDecoder();
  if (format === 'pcapng') return new PcapngDecoder();
  throw unreadable(bytes);
}

const MAGIC_BYTES = 4;

/** A growing buffer for the record that straddles chunks. */
class Carry {
  #buffer = new Uint8Array(4096);
  length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    const wanted = this.length + bytes.length;
    if (wanted > this.#buffer.length) {
      const wider = new Uint8Array(Math.max(wanted, this.#buffer.length * 2));
      wider.set(this.bytes);
      this.#buffer = wider;
    }
    this.#buffer.set(bytes, this.length);
    this.length = wanted;
  }
}

/** Reads one capture. Feed chunks in order, then call end(). */
export class CaptureReader {
  #decoder: CaptureDecoder | undefined;
  #carry = new Carry();
  /** Takes the next leftover while the other's packets are still being looked at. */
  #spare = new Carry();
  /** File offset of the carry's first byte, or of the next chunk's when the carry is empty. */
  #offset = 0;
  #packets = 0;
  /** Damage that was found behind packets not yet delivered. */
  #failure: FormatError | undefined;
  readonly #carryBatch = new PacketBatch();
  readonly #chunkBatch = new PacketBatch();

  /** 'pcap' or 'pcapng' once the first bytes are read. */
  get format(): 'pcap' | 'pcapng' | undefined {
    return this.#decoder?.format;
  }

  /** Interfaces so far; packets' ifIndex points here. A pcap file has one. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#decoder?.interfaces ?? [];
  }

  /** Packets so far. */
  get packetCount(): number {
    return this.#packets;
  }

  /** File offset up to which everything was read. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * The packets that end in this chunk, as at most two batches, in order; valid until the next feed, and only while the chunk's bytes stay
   * unchanged. Throws FormatError on damage or an unknown format, once the packets before it are delivered: if this chunk has some, the next
   * feed() or end() throws.
   */
  feed(chunk: Uint8Array): readonly PacketBatch[] {
    if (this.#failure !== undefined) throw this.#failure;
    const batches: PacketBatch[] = [];
    try {
      const used = this.#completeCarry(chunk, batches);
      if (used < chunk.length) this.#decodeChunk(chunk, used, batches);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#failure = error;
      if (batches.length === 0) throw error;
    }
    for (const batch of batches) this.#packets += batch.count;
    return batches;
  }

  /** Declares the file finished. Throws FormatError when it ends inside a header or record, or is empty. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#carry.length === 0 && this.#decoder !== undefined) return;
    const have = this.#carry.length;
    if (this.#decoder === undefined) {
      throw have === 0 ? new FormatError('capture', 'the file is empty', 0) : truncated('capture', 'its magic number', have, MAGIC_BYTES, this.#offset, 0);
    }
    const need = this.#decoder.needed(this.#stretch(this.#carry), 0, have);
    throw truncated(this.#decoder.format, this.#decoder.expecting, have, need, this.#offset, this.#packets);
  }

  /** Every packet of the chunk as an object. Views into the chunk: valid until the next call. */
  *packets(chunk: Uint8Array): Generator<CapturedPacket> {
    for (const batch of this.feed(chunk)) {
      for (let at = 0; at < batch.count; at++) yield batch.packet(at, this.interfaces);
    }
  }

  #stretch(carry: Carry): Stretch {
    return { bytes: carry.bytes, view: viewOf(carry.bytes), base: this.#offset };
  }

  /** Fills the straddling record up from the chunk; returns how many of the chunk's bytes that took. */
  #completeCarry(chunk: Uint8Array, batches: PacketBatch[]): number {
    let used = 0;
    while (this.#carry.length > 0 && used < chunk.length) {
      const stretch = this.#stretch(this.#carry);
      const need = this.#decoder?.needed(stretch, 0, this.#carry.length) ?? MAGIC_BYTES;
      const take = Math.min(need - this.#carry.length, chunk.length - used);
      this.#carry.append(chunk.subarray(used, used + take));
      used += take;
      if (this.#carry.length === need) this.#decodeCarry(batches);
    }
    return used;
  }

  /** The carry has what was asked for: perhaps a whole record, perhaps only its header. */
  #decodeCarry(batches: PacketBatch[]): void {
    this.#decoder ??= decoderFor(this.#carry.bytes);
    const stretch = this.#stretch(this.#carry);
    this.#carryBatch.reset(stretch.bytes);
    const end = this.#decoder.decode(stretch, 0, this.#carry.length, this.#carryBatch);
    if (end === 0) return;
    this.#offset += end;
    if (this.#carryBatch.count > 0) batches.push(this.#carryBatch);
    // needed() asks for no more than one record, so nothing is left over; the bytes stay where the batch says until the next feed.
    this.#spare.length = 0;
    [this.#carry, this.#spare] = [this.#spare, this.#carry];
  }

  #decodeChunk(chunk: Uint8Array, start: number, batches: PacketBatch[]): void {
    if (this.#decoder === undefined && chunk.length - start < MAGIC_BYTES) return this.#carry.append(chunk.subarray(start));
    this.#decoder ??= decoderFor(chunk.subarray(start));
    const batch = this.#chunkBatch;
    batch.reset(chunk);
    const stretch = { bytes: chunk, view: viewOf(chunk), base: this.#offset - start };
    let end = start;
    try {
      end = this.#decoder.decode(stretch, start, chunk.length, batch);
    } finally {
      if (batch.count > 0) batches.push(batch);
    }
    this.#offset += end - start;
    return this.#carry.append(chunk.subarray(end));
  }
}

const truncated = (format: string, what: string, have: number, need: number, offset: number, packets: number): FormatError =>
  new FormatError(format, `the file ends inside ${what}: ${have} of ${need} bytes are there (${packets} packets before it are whole)`, offset);

/** All packets of a whole capture in memory, copied, and its interfaces. Throws FormatError. For small captures and tests. */
export function readCapture(bytes: Uint8Array): { readonly packets: CapturedPacket[]; readonly interfaces: readonly CaptureInterface[] } {
  const reader = new CaptureReader();
  const packets = [...reader.packets(bytes)].map((packet) => ({ ...packet, data: packet.data.slice() }));
  reader.end();
  return { packets, interfaces: reader.interfaces };
}
