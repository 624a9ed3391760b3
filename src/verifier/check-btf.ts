// The program's func_info and line_info against its BTF and its layout: one function per subprogram, lines in order.
// Invariant: afterwards subprograms have their BTF type, linkage and name, and line records can be searched by instruction.
// Source: behaviour and messages of check_btf_info_early, check_btf_info and their parts, Linux 6.18.

import type { Btf } from '../btf/btf.ts';
import { isEnum, skipModsAndTypedefs } from '../btf/walk.ts';
import { BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO, BTF_KIND_INT } from '../spec/btf.ts';
import { EINVAL } from '../spec/errno.ts';
import type { Insn } from '../insn/insn.ts';
import type { SubprogInfo, VerifierEnv } from './env.ts';

const BTF_FUNC_GLOBAL = 1;

const kindOf = (btf: Btf, id: number): number => (btf.has(id) ? btf.kind(id) : 0);

/** Before subprograms are known: func_info records are in order and name functions. */
export function checkBtfInfoEarly(env: VerifierEnv): void {
  const { funcInfo, lineInfo } = env.prog;
  if (funcInfo.length === 0 && lineInfo.length === 0) return;
  const { btf } = env.options;
  if (btf === undefined) return env.reject(EINVAL);
  let previous = 0;
  funcInfo.forEach((record, at) => {
    if (at === 0 && record.insnOff !== 0) rejectRaw(env, `nonzero insn_off ${record.insnOff} for the first func info record`);
    if (at > 0 && record.insnOff <= previous) {
      rejectRaw(env, `same or smaller insn offset (${record.insnOff}) than previous func info record (${previous})`);
    }
    if (kindOf(btf, record.typeId) !== BTF_KIND_FUNC) rejectRaw(env, `invalid type id ${record.typeId | 0} in func info`);
    if (kindOf(btf, btf.sizeOrType(record.typeId)) !== BTF_KIND_FUNC_PROTO) env.reject(EINVAL);
    previous = record.insnOff;
  });
}

/** Rejects with a message that the kernel prints without a newline. */
function rejectRaw(env: VerifierEnv, message: string): never {
  env.log.verbose(message);
  env.reject(EINVAL);
}

/** Once subprograms are known: records match them, and lines cover them. */
export function checkBtfInfo(env: VerifierEnv): void {
  const { btf } = env.options;
  if (env.prog.funcInfo.length === 0 || btf === undefined) checkAbnormalReturn(env);
  else checkFuncs(env, btf);
  if (env.prog.lineInfo.length > 0 && btf !== undefined) checkLines(env, btf);
}

/** LD_ABS and tail calls may end a function early, so that its result must be known to be a number: by BTF. */
function checkAbnormalReturn(env: VerifierEnv): void {
  for (const subprog of env.subprogs.slice(1)) {
    if (subprog.hasLdAbs) env.reject(EINVAL, 'LD_ABS is not allowed in subprogs without BTF');
    if (subprog.hasTailCall) env.reject(EINVAL, 'tail_call is not allowed in subprogs without BTF');
  }
}

function checkFuncs(env: VerifierEnv, btf: Btf): void {
  const { funcInfo } = env.prog;
  if (funcInfo.length !== env.subprogs.length) env.reject(EINVAL, "number of funcs in func_info doesn't match number of subprogs");
  funcInfo.forEach((record, at) => {
    const subprog = env.subprogs[at] as SubprogInfo;
    if (subprog.start !== record.insnOff) env.reject(EINVAL, "func_info BTF section doesn't match subprog layout in BPF program");
    subprog.typeId = record.typeId;
    subprog.isGlobal = btf.vlen(record.typeId) === BTF_FUNC_GLOBAL;
    subprog.name = btf.name(record.typeId);
    if (at === 0 || returnsScalar(btf, record.typeId)) return;
    if (subprog.hasLdAbs) env.reject(EINVAL, "LD_ABS is only allowed in functions that return 'int'.");
    if (subprog.hasTailCall) env.reject(EINVAL, "tail_call is only allowed in functions that return 'int'.");
  });
}

function returnsScalar(btf: Btf, funcId: number): boolean {
  const returned = skipModsAndTypedefs(btf, btf.sizeOrType(btf.sizeOrType(funcId)));
  return isEnum(btf, returned) || (btf.kind(returned) === BTF_KIND_INT && btf.sizeOrType(returned) <= 8);
}

function checkLines(env: VerifierEnv, btf: Btf): void {
  let next = 0;
  let previous = 0;
  env.prog.lineInfo.forEach((line, at) => {
    const off = line.insnOff;
    if ((at > 0 && off <= previous) || off >= env.insns.length) {
      env.reject(EINVAL, `Invalid line_info[${at}].insn_off:${off} (prev_offset:${previous} prog->len:${env.insns.length})`);
    }
    if ((env.insns[off] as Insn).code === 0) env.reject(EINVAL, `Invalid insn code at line_info[${at}].insn_off`);
    if (!isName(btf, line.lineOff) || !isName(btf, line.fileNameOff)) env.reject(EINVAL, `Invalid line_info[${at}].line_off or .file_name_off`);
    const subprog = env.subprogs[next];
    if (subprog !== undefined && off === subprog.start) next++;
    else if (subprog !== undefined && subprog.start < off) env.reject(EINVAL, `missing bpf_line_info for func#${next}`);
    previous = off;
  });
  if (next !== env.subprogs.length) {
    env.reject(EINVAL, `missing bpf_line_info for ${env.subprogs.length - next} funcs starting from func#${next}`);
  }
}

const isName = (btf: Btf, offset: number): boolean => offset >= 0 && offset < btf.layout.strLen;
