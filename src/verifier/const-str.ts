// Constant strings and formats in a frozen, read-only map: the verifier reads them, so that helpers needn't check them at run time.
// Source: behaviour and messages of check_reg_const_str, check_bpf_snprintf_call and bpf_bprintf_prepare, Linux 6.18.

import { EACCES, EINVAL } from '../spec/errno.ts';
import { BPF_REG_3, BPF_REG_5 } from '../spec/opcodes.ts';
import type { VerifierMap } from './api.ts';
import { checkMapAccess } from './check-map-value.ts';
import type { VerifierEnv } from './env.ts';
import { regAt } from './reg-arg.ts';

/** A string argument: NUL-terminated, at a constant place in a map that nobody can change. */
export function checkConstStr(env: VerifierEnv, regno: number): void {
  const reg = regAt(env, regno);
  const map = env.mapOf(reg);
  if (map.readFrozen === undefined) env.reject(EACCES, `R${regno} does not point to a readonly map'`);
  if (!reg.isConst) env.reject(EACCES, `R${regno} is not a constant address'`);
  checkMapAccess(env, regno, reg.off, map.valueSize - reg.off, false);
  const start = reg.off + Number(reg.varValue);
  if (readString(map, start) === undefined) env.reject(EINVAL, 'string is not zero-terminated');
}

/** The bytes from `start` up to a NUL; undefined when the value ends before one. */
function readString(map: VerifierMap, start: number): number[] | undefined {
  const bytes: number[] = [];
  for (let at = start; at < map.valueSize; at++) {
    const byte = Number(map.readFrozen?.(at, 1) ?? 1n);
    if (byte === 0) return bytes;
    bytes.push(byte);
  }
  return undefined;
}

/** bpf_snprintf's format (r3) against the number of its arguments (r5, in bytes). */
export function checkSnprintfCall(env: VerifierEnv): void {
  const dataBytes = regAt(env, BPF_REG_5).varValue;
  if (dataBytes % 8n !== 0n) env.reject(EINVAL);
  const reg = regAt(env, BPF_REG_3);
  const text = readString(env.mapOf(reg), reg.off + Number(reg.varValue)) ?? [];
  if (!isValidFormat(String.fromCharCode(...text), Number(dataBytes / 8n))) env.reject(EINVAL, 'Invalid format string');
}

/** What may follow '%' and flags: %% aside, pointers, strings, characters and integers. */
const CONVERSION = /^[0+\- ]*(?:[1-9][0-9]*)?(?:p[ku]s(?=$|[\s!-/:-@[-`{-~])|p[KxsSB]|p[iI][46]|p(?=$|[\s!-/:-@[-`{-~])|s(?=$|[\s!-/:-@[-`{-~])|c|l{0,2}[iduxX])/;

/** Whether every conversion is known and has an argument. */
export function isValidFormat(format: string, argCount: number): boolean {
  let used = 0;
  for (let at = 0; at < format.length; at++) {
    if (!/[\t-\r -~\x80-\xff]/.test(format[at] as string)) return false;
    if (format[at] !== '%') continue;
    if (format[at + 1] === '%') {
      at++;
      continue;
    }
    const match = CONVERSION.exec(format.slice(at + 1));
    if (match === null || used >= argCount) return false;
    used++;
    at += match[0].length;
  }
  return true;
}
