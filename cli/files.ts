// Files in and out for commands: '-' is stdin or stdout, output files appear whole or not at all.

import { closeSync, createReadStream, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { BpfkitError, FormatError, UsageError } from '../src/util/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file', EISDIR: 'is a directory', EACCES: 'permission denied', ENOTDIR: 'a part of the path is no directory', ENOSPC: 'no space left', EROFS: 'read-only file system',
};
const shown = (path: string): string => (path === '-' ? 'stdin' : path);

/** A system error as one line that names the file; anything else as it is. */
function fileError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new UsageError(`${path === '' ? "''" : shown(path)}: ${REASONS[code] ?? (error as Error).message}`);
}

/** All bytes of a file, or of stdin. Throws UsageError where it can't be read. */
export function readBytes(path: string): Uint8Array {
  try {
    const buffer = path === '-' ? readStdin() : readFileSync(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    throw fileError(path, error);
  }
}

const STDIN_CHUNK_BYTES = 64 * 1024;
const RETRY_MS = 5;

/** Stdin may be a pipe that doesn't block: then a read says EAGAIN until there is something. */
function readStdin(): Buffer {
  const chunks: Buffer[] = [];
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const chunk = Buffer.alloc(STDIN_CHUNK_BYTES);
    try {
      const length = readSync(0, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return Buffer.concat(chunks);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, RETRY_MS);
    }
  }
}

/** Size of a file in bytes, 0 for stdin. Throws UsageError where it isn't there or is a directory. */
export function fileSize(path: string): number {
  if (path === '-') return 0;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new UsageError(`${path}: is a directory`);
    return stat.size;
  } catch (error) {
    throw error instanceof UsageError ? error : fileError(path, error);
  }
}

/** Runs `read` on what came from a file; its errors name the file. */
export function fromFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof BpfkitError ? nameFile(path, error) : error;
  }
}

/** The error, its message's lines beginning with the file's name. */
export function nameFile(path: string, error: BpfkitError): BpfkitError {
  if (error.message.startsWith(`${shown(path)}:`)) return error;
  const separator = /^\d+:\d+: /.test(error.message) ? ':' : ': ';
  error.message = error.message.split('\n').map((line) => `${shown(path)}${separator}${line}`).join('\n');
  return error;
}

/** Checks before long work that a file can be written where it is asked for. Throws UsageError. */
export function checkOutput(path: string | undefined): void {
  if (path === undefined || path === '-') return;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new UsageError(`${path}: is a directory, a file is to be written there`);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`${path}: cannot be written: there is no directory ${dirname(path)}`);
}

/** Writes a file whole or not at all. '-' is stdout. Throws UsageError. */
export function writeBytes(path: string, bytes: Uint8Array | string): void {
  const file = new OutputFile(path);
  try {
    file.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    file.finish();
  } catch (error) {
    file.abandon();
    throw error;
  }
}

const BUFFERED_BYTES = 1 << 20;

/** A file written piece by piece under a temporary name, so that nothing half-written is ever seen. '-' is stdout, as it comes. */
export class OutputFile {
  readonly #path: string;
  readonly #temporary: string;
  #fd: number | undefined;
  #pieces: Uint8Array[] = [];
  #bufferedBytes = 0;

  /** Throws UsageError where it can't be written. */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.tmp-${process.pid}`;
    checkOutput(path);
    if (path !== '-') this.#named(() => (this.#fd = openSync(this.#temporary, 'w')));
  }

  write(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes >= BUFFERED_BYTES) this.#flush();
  }

  /** Waits until stdout has taken what was written; files have it already. */
  async drained(): Promise<void> {
    if (this.#fd !== undefined || !process.stdout.writableNeedDrain) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()));
  }

  /** Puts the file in its place. */
  finish(): void {
    this.#flush();
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    this.#named(() => {
      closeSync(fd);
      renameSync(this.#temporary, this.#path);
    });
  }

  /** Takes back what was written. After `finish` it does nothing. */
  abandon(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bufferedBytes = 0;
    if (this.#fd === undefined) process.stdout.write(bytes);
    else this.#named(() => writeAll(this.#fd as number, bytes));
  }

  #named(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw fileError(this.#path, error);
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** The chunks of a file or stdin as they come, gunzipped where they start with gzip's magic. Throws FormatError for damaged gzip. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* rawChunks(path);
  } catch (error) {
    throw error instanceof BpfkitError ? error : fileError(path, error);
  }
}

async function* rawChunks(path: string): AsyncGenerator<Uint8Array> {
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
