// The pcapng format: sections of blocks, each with its own byte order and interfaces. Reads section headers, interface descriptions,
// enhanced, simple and obsolete packet blocks and interface statistics; skips every other block by its length.
// Invariant: interfaces are numbered over the whole file (the reader's `interfaces`), while blocks number them in their section.
// Source: draft-ietf-opsawg-pcapng.

import { FormatError } from '../util/errors.ts';
import { cString } from '../util/bytes.ts';
import type { CaptureDecoder, Stretch } from './capture-decoder.ts';
import type { CaptureInterface, PacketBatch } from './packet-batch.ts';
import { clockOf } from './pcapng-clock.ts';
import type { Clock } from './pcapng-clock.ts';

/** Block types. */
export const PCAPNG_SHB = 0x0a0d_0d0a;
export const PCAPNG_IDB = 1;
export const PCAPNG_PB = 2;
export const PCAPNG_SPB = 3;
export const PCAPNG_ISB = 5;
export const PCAPNG_EPB = 6;
/** The section header's byte-order magic. */
export const PCAPNG_BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
/** Interface description options. */
export const PCAPNG_IF_NAME = 2;
export const PCAPNG_IF_TSRESOL = 9;
export const PCAPNG_IF_FCSLEN = 13;
export const PCAPNG_IF_TSOFFSET = 14;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;
const OPT_ENDOFOPT = 0;

/** Type, length and trailing length of any block. */
const FRAME_BYTES = 12;
/** A section header up to its byte-order magic: what is needed to know its length. */
const SHB_PREFIX_BYTES = 12;
/** libpcap's limit; longer blocks are damage. */
export const PCAPNG_MAX_BLOCK_BYTES = 16 << 20;

/** Packets that an interface got and lost, as its statistics block says. */
export interface InterfaceStatistics { readonly ifIndex: number; readonly received: bigint | undefined; readonly dropped: bigint | undefined }

interface SectionInterface { readonly ifIndex: number; readonly snapLen: number; readonly clock: Clock }

/** One block: its body is [body, bodyEnd). */
interface Block { readonly type: number; readonly at: number; readonly body: number; readonly bodyEnd: number }

/** Decodes pcapng files. */
export class PcapngDecoder implements CaptureDecoder {
  readonly format = 'pcapng';
  readonly interfaces: CaptureInterface[] = [];
  readonly statistics: InterfaceStatistics[] = [];
  #little = true;
  #section = -1;
  #sectionInterfaces: SectionInterface[] = [];

  get expecting(): string {
    return this.#section < 0 ? 'the section header block' : 'a block';
  }

  decode(stretch: Stretch, start: number, end: number, batch: PacketBatch): number {
    let at = start;
    while (end - at >= FRAME_BYTES) {
      const length = this.#blockLength(stretch, at);
      if (length > end - at) return at;
      this.#block(stretch, at, length, batch);
      at += length;
    }
    return at;
  }

  needed(stretch: Stretch, start: number, available: number): number {
    return available < SHB_PREFIX_BYTES ? SHB_PREFIX_BYTES : this.#blockLength(stretch, start);
  }

  /** The block's whole length; a section header's own byte order decides how to read it. */
  #blockLength({ view, base }: Stretch, at: number): number {
    const isSection = view.getUint32(at, true) === PCAPNG_SHB;
    if (!isSection && this.#section < 0) throw new FormatError('pcapng', 'the file does not begin with a section header block', base + at);
    const little = isSection ? sectionIsLittle(view, at, base) : this.#little;
    const length = view.getUint32(at + 4, little);
    if (length < FRAME_BYTES || length % 4 !== 0) throw new FormatError('pcapng', `a block length of ${length} (a multiple of 4, at least 12)`, base + at + 4);
    if (length > PCAPNG_MAX_BLOCK_BYTES) throw new FormatError('pcapng', `a block of ${length} bytes, more than ${PCAPNG_MAX_BLOCK_BYTES}: the file is damaged here`, base + at + 4);
    return length;
  }

  #block(stretch: Stretch, at: number, length: number, batch: PacketBatch): void {
    const { view, base } = stretch;
    const isSection = view.getUint32(at, true) === PCAPNG_SHB;
    if (isSection) this.#little = sectionIsLittle(view, at, base);
    const trailing = view.getUint32(at + length - 4, this.#little);
    if (trailing !== length) throw new FormatError('pcapng', `the block's two lengths differ: ${length} and ${trailing}`, base + at + length - 4);
    const type = isSection ? PCAPNG_SHB : view.getUint32(at, this.#little);
    if (type === PCAPNG_EPB) return this.#enhancedPacket(stretch, at, at + length - 4, batch);
    const block = { type, at, body: at + 8, bodyEnd: at + length - 4 };
    if (type === PCAPNG_SPB) return this.#simplePacket(stretch, block, batch);
    if (type === PCAPNG_PB) return this.#obsoletePacket(stretch, block, batch);
    if (type === PCAPNG_SHB) return this.#sectionHeader(stretch, block);
    if (type === PCAPNG_IDB) return this.#interfaceDescription(stretch, block);
    return type === PCAPNG_ISB ? this.#interfaceStatistics(stretch, block) : undefined;
  }

  #sectionHeader({ view, base }: Stretch, block: Block): void {
    requireBody(block, 16, base, 'section header');
    const major = view.getUint16(block.body + 4, this.#little);
    const minor = view.getUint16(block.body + 6, this.#little);
    // 1.2 was written by mistake for 1.0; readers are asked to take it.
    if (major !== 1 || (minor !== 0 && minor !== 2)) throw new FormatError('pcapng', `version ${major}.${minor}; readers know 1.0`, base + block.body + 4);
    this.#section++;
    this.#sectionInterfaces = [];
  }

  #interfaceDescription(stretch: Stretch, block: Block): void {
    const { view, bytes, base } = stretch;
    requireBody(block, 8, base, 'interface description');
    let name = '';
    let fcsBytes = 0;
    let resolution = 6;
    let offsetSeconds = 0n;
    for (const option of this.#options(stretch, block.body + 8, block.bodyEnd)) {
      if (option.code === PCAPNG_IF_NAME) name = cString(bytes.subarray(option.at, option.at + option.length));
      if (option.code === PCAPNG_IF_FCSLEN && option.length >= 1) fcsBytes = view.getUint8(option.at);
      if (option.code === PCAPNG_IF_TSRESOL && option.length >= 1) resolution = view.getUint8(option.at);
      if (option.code === PCAPNG_IF_TSOFFSET && option.length >= 8) offsetSeconds = view.getBigInt64(option.at, this.#little);
    }
    const snapLen = view.getUint32(block.body + 4, this.#little);
    this.#sectionInterfaces.push({ ifIndex: this.interfaces.length, snapLen, clock: clockOf(resolution, offsetSeconds) });
    this.interfaces.push({ linkType: view.getUint16(block.body, this.#little), snapLen, fcsBytes, name, section: this.#section });
  }

  *#options({ view, base }: Stretch, start: number, end: number): Generator<{ code: number; at: number; length: number }> {
    let at = start;
    while (end - at >= 4) {
      const code = view.getUint16(at, this.#little);
      const length = view.getUint16(at + 2, this.#little);
      if (code === OPT_ENDOFOPT) return;
      if (length > end - at - 4) throw new FormatError('pcapng', `option ${code} of ${length} bytes does not fit its block`, base + at);
      yield { code, at: at + 4, length };
      at += 4 + ((length + 3) & ~3);
    }
  }

  #interfaceAt(index: number, base: number, at: number): SectionInterface {
    const found = this.#sectionInterfaces[index];
    if (found === undefined) {
      throw new FormatError('pcapng', `interface ${index}, where this section describes ${this.#sectionInterfaces.length}`, base + at);
    }
    return found;
  }

  #enhancedPacket({ view, base }: Stretch, at: number, bodyEnd: number, batch: PacketBatch): void {
    if (bodyEnd - at < 28) throw new FormatError('pcapng', `an enhanced packet block of ${bodyEnd + 4 - at} bytes, too short for its fields`, base + at + 4);
    const little = this.#little;
    const { ifIndex, clock } = this.#interfaceAt(view.getUint32(at + 8, little), base, at + 8);
    const captured = view.getUint32(at + 20, little);
    if (captured > bodyEnd - at - 28) throw tooLong(captured, bodyEnd - at - 28, base + at + 20);
    clock.add(batch, at + 28, captured, view.getUint32(at + 24, little), view.getUint32(at + 12, little), view.getUint32(at + 16, little), ifIndex);
  }

  #obsoletePacket({ view, base }: Stretch, block: Block, batch: PacketBatch): void {
    requireBody(block, 20, base, 'packet');
    const { body } = block;
    const little = this.#little;
    const { ifIndex, clock } = this.#interfaceAt(view.getUint16(body, little), base, body);
    const captured = view.getUint32(body + 12, little);
    if (captured > block.bodyEnd - body - 20) throw tooLong(captured, block.bodyEnd - body - 20, base + body + 12);
    clock.add(batch, body + 20, captured, view.getUint32(body + 16, little), view.getUint32(body + 4, little), view.getUint32(body + 8, little), ifIndex);
  }

  /** A simple packet has no time and no captured length: it is on interface 0, cut to that one's snapshot length. */
  #simplePacket({ view, base }: Stretch, block: Block, batch: PacketBatch): void {
    requireBody(block, 4, base, 'simple packet');
    const { ifIndex, snapLen } = this.#interfaceAt(0, base, block.at);
    const original = view.getUint32(block.body, this.#little);
    const captured = snapLen === 0 ? original : Math.min(original, snapLen);
    if (captured > block.bodyEnd - block.body - 4) throw tooLong(captured, block.bodyEnd - block.body - 4, base + block.body);
    batch.add(block.body + 4, captured, original, 0, 0, ifIndex);
  }

  #interfaceStatistics(stretch: Stretch, block: Block): void {
    const { view, base } = stretch;
    requireBody(block, 12, base, 'interface statistics');
    const { ifIndex } = this.#interfaceAt(view.getUint32(block.body, this.#little), base, block.body);
    let received: bigint | undefined;
    let dropped: bigint | undefined;
    for (const option of this.#options(stretch, block.body + 12, block.bodyEnd)) {
      if (option.length < 8) continue;
      if (option.code === ISB_IFRECV) received = view.getBigUint64(option.at, this.#little);
      if (option.code === ISB_IFDROP) dropped = view.getBigUint64(option.at, this.#little);
    }
    this.statistics.push({ ifIndex, received, dropped });
  }
}

function sectionIsLittle(view: DataView, at: number, base: number): boolean {
  if (view.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER_MAGIC) return true;
  if (view.getUint32(at + 8, false) === PCAPNG_BYTE_ORDER_MAGIC) return false;
  throw new FormatError('pcapng', 'a section header without its byte-order magic', base + at + 8);
}

function requireBody(block: Block, bytes: number, base: number, what: string): void {
  if (block.bodyEnd - block.body >= bytes) return;
  throw new FormatError('pcapng', `a block of type ${what} with ${block.bodyEnd - block.body} bytes, at least ${bytes} are needed`, base + block.at + 4);
}

const tooLong = (captured: number, room: number, offset: number): FormatError =>
  new FormatError('pcapng', `a packet of ${captured} captured bytes in a block with room for ${room}`, offset);
