// Accesses to a region of known size, at an offset that may be known only within bounds.
// Source: behaviour of check_mem_region_access, Linux 6.18.

import { EACCES } from '../spec/errno.ts';
import { BPF_MAX_VAR_OFF } from '../spec/limits.ts';
import { PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META } from '../spec/verifier-types.ts';
import { S64_MIN } from '../util/u64.ts';
import type { VerifierEnv } from './env.ts';
import { regAt } from './reg-arg.ts';

const toInt = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Whether [off, off + sizeBytes) lies in a region of `memBytes`; prints what is wrong if not. `off` is a 32-bit int. */
export function isWithinMem(env: VerifierEnv, regno: number, off: number, sizeBytes: number, memBytes: number, zeroSizeAllowed: boolean): boolean {
  const sizeOk = sizeBytes > 0 || (sizeBytes === 0 && zeroSizeAllowed);
  if (off >= 0 && sizeOk && off + sizeBytes <= memBytes) return true;
  env.log.verbose(`${outsideText(env, regno, off, sizeBytes, memBytes)}\n`);
  return false;
}

function outsideText(env: VerifierEnv, regno: number, off: number, sizeBytes: number, memBytes: number): string {
  const reg = regAt(env, regno);
  switch (reg.type) {
    case PTR_TO_MAP_KEY: return `invalid access to map key, key_size=${memBytes} off=${off} size=${sizeBytes}`;
    case PTR_TO_MAP_VALUE: return `invalid access to map value, value_size=${memBytes} off=${off} size=${sizeBytes}`;
    case PTR_TO_PACKET: case PTR_TO_PACKET_META: case PTR_TO_PACKET_END:
      return `invalid access to packet, off=${off} size=${sizeBytes}, R${regno}(id=${reg.id},off=${off},r=${memBytes})`;
    default: return `invalid access to memory, mem_size=${memBytes >>> 0} off=${off} size=${sizeBytes}`;
  }
}

/** Rejects an access that may leave the region; `off` includes the pointer's fixed offset. */
export function checkMemRegionAccess(env: VerifierEnv, regno: number, off: number, sizeBytes: number, memBytes: number, zeroSizeAllowed: boolean): void {
  const reg = regAt(env, regno);
  const min = reg.sminValue + BigInt(off);
  if (reg.sminValue < 0n && (reg.sminValue === S64_MIN || min !== BigInt.asIntN(32, min) || min < 0n)) {
    env.reject(EACCES, `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  }
  if (!isWithinMem(env, regno, toInt(min), sizeBytes, memBytes, zeroSizeAllowed)) {
    env.reject(EACCES, `R${regno} min value is outside of the allowed memory range`);
  }
  if (reg.umaxValue >= BPF_MAX_VAR_OFF) env.reject(EACCES, `R${regno} unbounded memory access, make sure to bounds check any such access`);
  if (!isWithinMem(env, regno, toInt(reg.umaxValue + BigInt(off)), sizeBytes, memBytes, zeroSizeAllowed)) {
    env.reject(EACCES, `R${regno} max value is outside of the allowed memory range`);
  }
}
