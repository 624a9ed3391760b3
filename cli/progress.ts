// Progress of long work on stderr: a bar that redraws itself on a terminal, a line now and then in a log. Silent for short work.

const FIRST_AFTER_MS = 400;
const TERMINAL_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;
const WIDTH = 30;

/** Shows how far something is. `total` 0 when it isn't known (pipes). */
export class Progress {
  readonly #what: string;
  readonly #total: number;
  readonly #terminal = process.stderr.isTTY === true;
  #nextAt = performance.now() + FIRST_AFTER_MS;
  #drawn = false;
  constructor(what: string, total: number) {
    this.#what = what;
    this.#total = total;
  }

  /** Call often: it draws only when it is time. `detail` is made only then. */
  update(done: number, detail: () => string): void {
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + (this.#terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS);
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : undefined;
    const percent = share === undefined ? '' : ` ${(100 * share).toFixed(0).padStart(3)} %`;
    if (!this.#terminal) {
      process.stderr.write(`${this.#what}${percent} ${detail()}\n`);
      return;
    }
    const filled = Math.round((share ?? 0) * WIDTH);
    const bar = share === undefined ? '' : ` [${'█'.repeat(filled)}${'·'.repeat(WIDTH - filled)}]`;
    process.stderr.write(`\r\x1b[K${this.#what}${bar}${percent} ${detail()}`);
    this.#drawn = true;
  }

  /** Takes the bar away. */
  done(): void {
    if (this.#drawn) process.stderr.write('\r\x1b[K');
  }
}
