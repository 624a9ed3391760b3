// Labels: names that stand once, and numbers that may repeat ("1: … goto 1b", as in the GNU assembler and the kernel's selftests).
// The slot numbers of dumps ("12: r0 = 0") look like numeric labels and are harmless ones.

import { AsmError } from '../util/errors.ts';
import { complaint } from './lexer.ts';
import type { Token } from './lexer.ts';

const NUMERIC = /^(\d+)([fb])$/;

/** How many of the ascending `slots` are at most `limit`. */
function countUpTo(slots: readonly number[], limit: number): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((slots[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The labels of one program. */
export class Labels {
  readonly #named = new Map<string, number>();
  readonly #lineOf = new Map<string, number>();
  /** Slots by number, ascending, as statements come in order. */
  readonly #numbered = new Map<string, number[]>();

  /** Throws AsmError when the name is taken. */
  define(token: Token, at: number): void {
    const before = this.#lineOf.get(token.text);
    if (before !== undefined) throw new AsmError([complaint(token, `label '${token.text}' is already defined in line ${before}`)]);
    this.#named.set(token.text, at);
    this.#lineOf.set(token.text, token.line);
  }

  defineNumber(token: Token, at: number): void {
    const key = token.value.toString();
    const slots = this.#numbered.get(key);
    if (slots === undefined) this.#numbered.set(key, [at]);
    else slots.push(at);
  }

  /** The slot that `name`, used at slot `from`, means; undefined when there is none. */
  find(name: Token, from: number): number | undefined {
    const numeric = NUMERIC.exec(name.text);
    if (numeric === null) return this.#named.get(name.text);
    const slots = this.#numbered.get(BigInt(numeric[1] ?? '0').toString()) ?? [];
    const after = countUpTo(slots, from);
    return numeric[2] === 'f' ? slots[after] : slots[after - 1];
  }

  /** Slots by name, without the numbers. */
  named(): ReadonlyMap<string, number> {
    return this.#named;
  }
}
