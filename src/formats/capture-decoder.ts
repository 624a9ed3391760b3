// What the capture reader asks of a format: whole records out of a stretch of bytes, and how many bytes the next one needs.
// Invariant: decode() consumes whole records only; where it stops, needed() is more than what is there, so a reader always gets on.

import type { CaptureInterface, PacketBatch } from './packet-batch.ts';

/** A stretch of the file: `bytes[0]` is at file offset `base`. */
export interface Stretch { readonly bytes: Uint8Array; readonly view: DataView; readonly base: number }

/** A decoder of one format; holds what the file said so far. */
export interface CaptureDecoder {
  readonly format: 'pcap' | 'pcapng';
  readonly interfaces: readonly CaptureInterface[];
  /** Adds the packets of the whole records in [start, end) to `batch`; returns where the first incomplete record starts. Throws FormatError. */
  decode(stretch: Stretch, start: number, end: number, batch: PacketBatch): number;
  /** Bytes that the record at `start` needs, as far as the `available` ones say; always more than `available` there. Throws FormatError. */
  needed(stretch: Stretch, start: number, available: number): number;
  /** What the next record is, for the message about a file that ends inside it. */
  readonly expecting: string;
}
