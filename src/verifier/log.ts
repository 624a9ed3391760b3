// The verifier's log: text appended in fragments, truncated back when a path is abandoned, and its last line kept for the verdict.
// Invariant: what a caller prints is exactly what the kernel prints; positions are marks that `resetTo` returns to.
// Source: kernel/bpf/log.c (bpf_verifier_vlog, bpf_vlog_reset), Linux 6.18.

import { BPF_LOG_LEVEL1, BPF_LOG_LEVEL2, BPF_LOG_STATS } from '../spec/limits.ts';

const LOG_LEVEL_MASK = BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2;
/** Beyond this many characters the oldest text is dropped, as the kernel's rolling log does with a buffer of this size. */
const LOG_CAPACITY = 64 * 1024 * 1024;

/** The log of one verification. At level 0 text is kept all the same, so that a verdict has a message. */
export class VerifierLog {
  readonly level: number;
  #parts: string[] = [];
  #end = 0;
  #length = 0;
  constructor(level: number) {
    this.level = level;
  }

  /** Whether instructions and states are printed (level 1 or 2). */
  get printsInsns(): boolean { return (this.level & LOG_LEVEL_MASK) !== 0; }
  /** Whether every explored path is printed, not only the failing one. */
  get isVerbose(): boolean { return (this.level & BPF_LOG_LEVEL2) !== 0; }
  /** Whether the statistics line comes with time and stack depth. */
  get hasStats(): boolean { return (this.level & BPF_LOG_STATS) !== 0; }

  /** Characters printed so far: a mark to come back to with `resetTo`. */
  get position(): number { return this.#end; }

  /** Appends text as it is; newlines are the caller's. */
  verbose(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    this.#end += text.length;
    if (this.#length > LOG_CAPACITY) this.#drop();
  }

  /** Forgets what was printed after `position`. */
  resetTo(position: number): void {
    let surplus = this.#end - Math.max(position, this.#end - this.#length);
    this.#end -= surplus;
    this.#length -= surplus;
    while (surplus > 0) {
      const last = this.#parts.pop() as string;
      if (last.length > surplus) this.#parts.push(last.slice(0, last.length - surplus));
      surplus -= last.length;
    }
  }

  /** Everything that was printed. */
  get text(): string { return this.#parts.join(''); }

  /** The last line that is not empty, without its newline. */
  get lastLine(): string {
    let tail = '';
    for (let i = this.#parts.length - 1; i >= 0; i--) {
      tail = (this.#parts[i] as string) + tail;
      const lines = tail.replace(/\n+$/, '').split('\n');
      if (lines.length > 1) return lines[lines.length - 1] as string;
    }
    return tail.replace(/\n+$/, '');
  }

  #drop(): void {
    let at = 0;
    while (this.#length > LOG_CAPACITY / 2) this.#length -= (this.#parts[at++] as string).length;
    this.#parts = this.#parts.slice(at);
  }
}
