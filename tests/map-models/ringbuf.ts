// Model of RINGBUF: a JavaScript array of records in reservation order, and the bytes that they take.

/** One reservation. */
export interface ModelRecord { readonly data: Uint8Array; readonly bytes: number; state: 'busy' | 'submitted' | 'discarded' }

/** BPF_MAP_TYPE_RINGBUF of `size` bytes. */
export class RingbufModel {
  readonly #size: number;
  /** Reserved and not yet consumed. */
  readonly #records: ModelRecord[] = [];
  consumerPos = 0;
  producerPos = 0;
  wakeups = 0;
  constructor(size: number) {
    this.#size = size;
  }

  /** A record, or undefined when it doesn't fit: at most size - 1 bytes lie between consumer and producer, and between the oldest busy record and the producer. */
  reserve(data: Uint8Array): ModelRecord | undefined {
    const bytes = Math.ceil((data.length + 8) / 8) * 8;
    if (this.producerPos + bytes - this.consumerPos > this.#size - 1) return undefined;
    const record: ModelRecord = { data, bytes, state: 'busy' };
    this.#records.push(record);
    this.producerPos += bytes;
    return record;
  }

  /** Ends a record; the consumer is woken when it has caught up to this one, or as the flags say (1: don't, 2: do). */
  commit(record: ModelRecord, state: 'submitted' | 'discarded', flags: number): void {
    record.state = state;
    if ((flags & 2) !== 0 || (this.#records[0] === record && (flags & 1) === 0)) this.wakeups++;
  }

  /** Finished records up to the first busy one. */
  consume(): Uint8Array[] {
    const given: Uint8Array[] = [];
    for (let first = this.#records[0]; first !== undefined && first.state !== 'busy'; first = this.#records[0]) {
      if (first.state === 'submitted') given.push(first.data);
      this.consumerPos += first.bytes;
      this.#records.shift();
    }
    return given;
  }
}
