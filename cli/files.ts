// Files in and out for commands: '-' is stdin or stdout, output files appear whole or not at all.

import { createReadStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { FormatError, UsageError } from '../src/util/errors.ts';

/** All bytes of a file, or of stdin. Throws the system's error where it can't be read. */
export function readBytes(path: string): Uint8Array {
  const buffer = readFileSync(path === '-' ? 0 : path);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Writes a file whole: to a temporary name first, so that nothing half-written is left. '-' is stdout. */
export function writeBytes(path: string, bytes: Uint8Array | string): void {
  if (path === '-') {
    process.stdout.write(bytes);
    return;
  }
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** The chunks of a file or stdin as they come, gunzipped where they start with gzip's magic. Throws FormatError for damaged gzip. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let first = await iterator.next();
  // A pipe may deliver a single byte first; two are needed to tell gzip.
  if (first.done !== true && first.value.length < 2) {
    const second = await iterator.next();
    if (second.done !== true) first = { done: false, value: Buffer.concat([first.value, second.value]) };
  }
  if (first.done === true) return;
  const rest = chain(first.value, iterator);
  if (first.value[0] === GZIP_MAGIC[0] && first.value[1] === GZIP_MAGIC[1]) yield* gunzip(rest);
  else yield* rest;
}

async function* chain(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* gunzip(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Readable: ReadableStream } = await import('node:stream');
  const unzip = ReadableStream.from(chunks).pipe(createGunzip());
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
  } catch (error) {
    throw new FormatError('gzip', error instanceof Error ? error.message : String(error), 0);
  }
}

/** A whole number from the command line. Throws UsageError. */
export function wholeNumber(option: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < low || value > high) {
    throw new UsageError(`${option} takes a whole number from ${low} to ${high}, not '${text}'`);
  }
  return value;
}
