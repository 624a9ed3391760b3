// What was learned about one instruction, for the executors.

import type { InsnFact } from '../insn/verified-program.ts';
import {
  baseType, PTR_TO_CTX, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK,
} from '../spec/verifier-types.ts';
import type { InsnAux, VerifierEnv } from './env.ts';

const MEMORY: ReadonlyMap<number, NonNullable<InsnFact['memory']>> = new Map([
  [PTR_TO_STACK, 'stack'], [PTR_TO_CTX, 'ctx'], [PTR_TO_PACKET, 'packet'], [PTR_TO_PACKET_META, 'packet'], [PTR_TO_MAP_VALUE, 'map_value'], [PTR_TO_MEM, 'mem'],
]);

/** The facts of slot `at`; `subprogIndex` gives the new number of each function that is still there. */
export function factOf(env: VerifierEnv, at: number, subprogIndex: ReadonlyMap<number, number>): InsnFact {
  const aux = env.aux[at] as InsnAux;
  const hasMap = aux.mapIndex > 0 && (env.mapFds[aux.mapIndex - 1] ?? -1) >= 0;
  const callback = aux.callbackSubprog >= 0 ? subprogIndex.get(aux.callbackSubprog) : undefined;
  const memory = aux.memoryMixed ? undefined : MEMORY.get(baseType(aux.ptrType));
  return {
    ...(hasMap ? { mapIndex: aux.mapIndex - 1 } : {}),
    ...(aux.constantKey !== undefined && aux.constantKey >= 0 ? { constantKey: aux.constantKey } : {}),
    ...(aux.maybeUnaligned ? { maybeUnaligned: true } : {}),
    ...(callback !== undefined ? { callbackSubprog: callback } : {}),
    ...(memory !== undefined ? { memory } : {}),
  };
}
