// What one statement says before labels and names are known.
// Invariant: `slots` is complete but for the field that `pending` names.

import type { Insn } from '../insn/insn.ts';
import type { Token } from './lexer.ts';

/** A field to fill once all labels are known. */
export type Pending =
  /** A jump: `field` gets the distance from the next slot. */
  | { readonly kind: 'jump'; readonly field: 'off' | 'imm'; readonly name: Token }
  /** `call name`: a label (bpf-to-bpf), else a helper, else a kfunc; `id` is the number after '#'. */
  | { readonly kind: 'call'; readonly name: Token; readonly id: number | undefined }
  /** `r1 = func name`: a function of this program. */
  | { readonly kind: 'func'; readonly name: Token }
  /** `r1 = name ll`: a function of this program, else a symbol that the caller resolves. */
  | { readonly kind: 'symbol'; readonly name: Token }
  /** A map by name; `slots` say whether its address or its value's. */
  | { readonly kind: 'map' | 'map_value'; readonly name: Token; readonly offset: number }
  | { readonly kind: 'kfunc'; readonly name: Token };

/** One instruction: one slot, or two for a 64-bit immediate. */
export interface ParsedInsn { readonly slots: readonly Insn[]; readonly pending?: Pending }

/** An instruction of one slot; fields left out are 0. */
export const slot = (code: number, fields: Partial<Omit<Insn, 'code'>> = {}): Insn => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields });

/** A complete instruction of one slot. */
export const single = (code: number, fields: Partial<Omit<Insn, 'code'>> = {}): ParsedInsn => ({ slots: [slot(code, fields)] });
