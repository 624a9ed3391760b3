// What a naive model of a map answers: obvious code over JavaScript arrays and Maps, no sharing with src/maps.
// Errors are positive errno numbers, 0 is success. Commands as user space sees them; `prog…` is the view of a program running on a CPU.

/** A look-up's answer. */
export interface Found { readonly errno: number; readonly value?: Uint8Array }

/** What the models differ in. */
export interface MapModel {
  /** Bytes of a value as commands copy it. */
  readonly userValueSize: number;
  lookup(key: Uint8Array, value: Uint8Array): Found;
  update(key: Uint8Array, value: Uint8Array, flags: bigint): number;
  delete(key: Uint8Array): number;
  lookupAndDelete(key: Uint8Array): Found;
  /** All keys; `ordered` when get_next_key must give them in this order. undefined: get_next_key fails with `nextErrno`. */
  keys(): Uint8Array[] | undefined;
  readonly ordered: boolean;
  readonly nextErrno: number;
  /** Keys may vanish on their own (LRU): the driver calls `retain` with what is left. */
  readonly evicts: boolean;
  retain(keys: readonly Uint8Array[]): void;
  /** A look-up may find what isn't there (bloom filter). */
  readonly falsePositives: boolean;
  readonly batch: { readonly lookup?: 'generic' | 'hash'; readonly lookupAndDelete?: 'hash'; readonly update?: boolean; readonly delete?: boolean };
  readonly prog: ProgramView | undefined;
}

/** What programs do, on CPU `cpu`. Values are value_size bytes. */
export interface ProgramView {
  lookup(key: Uint8Array, cpu: number): Uint8Array | undefined;
  update(key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number;
  delete(key: Uint8Array): number;
  lookupPercpu?(key: Uint8Array, cpu: number): Uint8Array | undefined;
  push?(value: Uint8Array, flags: number): number;
  pop?(): Found;
  peek?(value: Uint8Array): Found;
}

/** The sizes of a modelled map. */
export interface ModelConfig {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly cpus: number;
}

export const ENOENT = 2;
export const E2BIG = 7;
export const EEXIST = 17;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EOPNOTSUPP = 95;
export const ENOTSUPP = 524;
export const NOEXIST = 1;
export const EXIST = 2;

/** Defaults that most models share. */
export abstract class BaseModel implements MapModel {
  readonly config: ModelConfig;
  readonly ordered: boolean = true;
  readonly nextErrno: number = 0;
  readonly evicts: boolean = false;
  readonly falsePositives: boolean = false;
  readonly batch: MapModel['batch'] = {};
  constructor(config: ModelConfig) {
    this.config = config;
  }
  get userValueSize(): number {
    return this.config.valueSize;
  }
  abstract lookup(key: Uint8Array, value: Uint8Array): Found;
  abstract update(key: Uint8Array, value: Uint8Array, flags: bigint): number;
  abstract delete(key: Uint8Array): number;
  lookupAndDelete(_key: Uint8Array): Found {
    return { errno: ENOTSUPP };
  }
  abstract keys(): Uint8Array[] | undefined;
  retain(_keys: readonly Uint8Array[]): void {}
  get prog(): ProgramView | undefined {
    return undefined;
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
export const u32 = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32LE(0);
export function u32Bytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return new Uint8Array(bytes);
}
export const round8 = (size: number): number => Math.ceil(size / 8) * 8;
