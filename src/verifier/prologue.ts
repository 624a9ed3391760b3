// Checks before any path is walked: functions, jump targets, 64-bit loads and the maps they name, opcodes.
// Invariant: afterwards every LDDW is whole, every jump stays in its function, and `env.aux[i].mapIndex` names the map of each map load.
// Source: behaviour of add_subprog_and_kfunc, check_subprogs and resolve_pseudo_ldimm64, Linux 6.18.

import { isLddw, isPseudoCall, isPseudoFunc, jumpOffset } from '../insn/fields.ts';
import type { Insn } from '../insn/insn.ts';
import { E2BIG, EBADF, EINVAL, ENOTSUPP, EPERM, EPROTO } from '../spec/errno.ts';
import { BPF_FUNC_tail_call } from '../spec/helpers.ts';
import { BPF_MAX_SUBPROGS, BPF_MAX_VAR_OFF, MAX_USED_MAPS } from '../spec/limits.ts';
import { BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_STRUCT_OPS } from '../spec/map-types.ts';
import {
  BPF_ABS, BPF_CALL, BPF_EXIT, BPF_IND, BPF_JA, BPF_JMP, BPF_JMP32, BPF_LD, BPF_LDX, BPF_MEM, BPF_MEMSX, BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE,
  insnClass, insnMode, insnOp,
} from '../spec/opcodes.ts';
import { BPF_PROG_TYPE_SOCKET_FILTER } from '../spec/prog-types.ts';
import { PTR_TO_FUNC } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import type { VerifierMap } from './api.ts';
import type { InsnAux, SubprogInfo, VerifierEnv } from './env.ts';
import { isKnownOpcode } from './opcode-table.ts';

const CALL = BPF_JMP | BPF_CALL;

/** A call of a kernel function. */
export const isKfuncCall = (insn: Insn): boolean => insn.code === CALL && insn.src === BPF_PSEUDO_KFUNC_CALL;
/** A call of a helper. */
export const isHelperCall = (insn: Insn): boolean => insn.code === CALL && insn.src === 0;

function newSubprog(start: number): SubprogInfo {
  return {
    start, stackDepth: 0, name: '', typeId: 0, isGlobal: false, isCallback: false, isAsyncCallback: false, isExceptionCallback: false, hasTailCall: false,
    tailCallReachable: false, hasLdAbs: false, mayGoto: false, changesPktData: false, mightSleep: false, called: false, verified: false,
    fastcallStackOff: 0, keepFastcallStack: false, args: undefined, unreliable: false, postorderStart: 0,
  };
}

function addSubprog(env: VerifierEnv, start: number): void {
  if (start < 0 || start >= env.insns.length) env.reject(EINVAL, 'call to invalid destination');
  if (env.findSubprog(start) >= 0) return;
  if (env.subprogs.length >= BPF_MAX_SUBPROGS) env.reject(E2BIG, 'too many subprograms');
  env.subprogs.push(newSubprog(start));
  env.subprogs.sort((a, b) => a.start - b.start);
}

/** Finds the program's functions: the entry, and what calls and function loads name. */
export function addSubprogs(env: VerifierEnv): void {
  addSubprog(env, 0);
  for (let i = 0; i < env.insns.length; i++) {
    const insn = env.insns[i] as Insn;
    const named = isPseudoFunc(insn) || isPseudoCall(insn);
    if (!named && !isKfuncCall(insn)) continue;
    if (!env.bpfCapable) env.reject(EPERM, 'loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN');
    if (!named) throw new NotSupportedError('calls of kernel functions (kfuncs)');
    addSubprog(env, i + insn.imm + 1);
  }
  if (!env.log.isVerbose) return;
  env.subprogs.forEach((subprog, index) => env.log.verbose(`func#${index} @${subprog.start}\n`));
}

function noteSpecialInsns(subprog: SubprogInfo, insn: Insn): void {
  if (isHelperCall(insn) && insn.imm === BPF_FUNC_tail_call) {
    subprog.hasTailCall = true;
    subprog.tailCallReachable = true;
  }
  const mode = insnMode(insn.code);
  if (insnClass(insn.code) === BPF_LD && (mode === BPF_ABS || mode === BPF_IND)) subprog.hasLdAbs = true;
}

function checkJumpTarget(env: VerifierEnv, insn: Insn, at: number, start: number, end: number): void {
  const cls = insnClass(insn.code);
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return;
  const op = insnOp(insn.code);
  if (op === BPF_EXIT || op === BPF_CALL) return;
  const target = (at + jumpOffset(insn) + 1) | 0; // an int in the kernel, and its message shows that
  if (target < start || target >= end) env.reject(EINVAL, `jump out of range from insn ${at} to ${target}`);
}

/** Checks that jumps stay within their function and that no function falls through its end. */
export function checkSubprogs(env: VerifierEnv): void {
  for (let subprogno = 0; subprogno < env.subprogs.length; subprogno++) {
    const subprog = env.subprogs[subprogno] as SubprogInfo;
    const end = env.subprogEnd(subprogno);
    for (let i = subprog.start; i < end; i++) {
      const insn = env.insns[i] as Insn;
      noteSpecialInsns(subprog, insn);
      checkJumpTarget(env, insn, i, subprog.start, end);
      if (i < end - 1) continue;
      const { code } = insn;
      const leaves = code === (BPF_JMP | BPF_EXIT) || code === (BPF_JMP32 | BPF_JA) || code === (BPF_JMP | BPF_JA);
      if (!leaves) env.reject(EINVAL, 'last insn is not an exit or jmp');
    }
  }
}

function checkMapFits(env: VerifierEnv, map: VerifierMap): void {
  if (map.spinLockOffset !== undefined && env.prog.type === BPF_PROG_TYPE_SOCKET_FILTER) {
    env.reject(EINVAL, 'socket filter progs cannot use bpf_spin_lock yet');
  }
  if (map.mapType === BPF_MAP_TYPE_STRUCT_OPS) env.reject(EINVAL, 'bpf_struct_ops map cannot be used in prog');
  if (map.mapType === BPF_MAP_TYPE_ARENA) throw new NotSupportedError('arena maps');
}

/** Index in `env.maps` of the map behind a file descriptor. */
function addUsedMap(env: VerifierEnv, fd: number): number {
  const map = env.options.mapByFd(fd);
  if (map === undefined || map === 'not a map') env.reject(map === undefined ? EBADF : EINVAL, `fd ${fd} is not pointing to valid bpf_map`);
  const known = env.maps.indexOf(map);
  if (known >= 0) return known;
  if (env.maps.length >= MAX_USED_MAPS) env.reject(E2BIG, `The total number of maps per program has reached the limit of ${MAX_USED_MAPS}`);
  checkMapFits(env, map);
  env.mapFds.push(fd);
  return env.maps.push(map) - 1;
}

function checkDirectValue(env: VerifierEnv, map: VerifierMap, off: number): void {
  if (off >= BPF_MAX_VAR_OFF) env.reject(EINVAL, `direct value offset of ${off} is not allowed`);
  if (map.mapType !== BPF_MAP_TYPE_ARRAY) env.reject(EINVAL, 'no direct value access support for this map type');
  const errno = map.maxEntries !== 1 ? ENOTSUPP : EINVAL;
  if (map.maxEntries !== 1 || off >= map.valueSize) {
    env.reject(errno, `invalid access to map value pointer, value_size=${map.valueSize} off=${off}`);
  }
}

function resolveMapLoad(env: VerifierEnv, insn: Insn, second: Insn, aux: InsnAux): void {
  const isValue = insn.src === BPF_PSEUDO_MAP_VALUE || insn.src === BPF_PSEUDO_MAP_IDX_VALUE;
  const isMap = (insn.src === BPF_PSEUDO_MAP_FD || insn.src === BPF_PSEUDO_MAP_IDX) && second.imm === 0;
  if (!isValue && !isMap) env.reject(EINVAL, 'unrecognized bpf_ld_imm64 insn');
  if (insn.src === BPF_PSEUDO_MAP_IDX || insn.src === BPF_PSEUDO_MAP_IDX_VALUE) env.reject(EPROTO, 'fd_idx without fd_array is invalid');
  const index = addUsedMap(env, insn.imm);
  aux.mapIndex = index + 1;
  if (!isValue) return;
  aux.mapOff = second.imm >>> 0;
  checkDirectValue(env, env.maps[index] as VerifierMap, aux.mapOff);
}

function resolveLdimm64(env: VerifierEnv, at: number): void {
  const insn = env.insns[at] as Insn;
  const second = env.insns[at + 1];
  if (second === undefined || second.code !== 0 || second.dst !== 0 || second.src !== 0 || second.off !== 0) env.reject(EINVAL, 'invalid bpf_ld_imm64 insn');
  if (insn.src === 0) return;
  if (insn.src === BPF_PSEUDO_BTF_ID) throw new NotSupportedError('loads of kernel variables (BPF_PSEUDO_BTF_ID)');
  const aux = env.aux[at] as InsnAux;
  if (insn.src === BPF_PSEUDO_FUNC) aux.ptrType = PTR_TO_FUNC;
  else resolveMapLoad(env, insn, second, aux);
}

/** Checks every opcode's existence and 64-bit load, and finds the maps that the program names. */
export function resolvePseudoLdimm64(env: VerifierEnv): void {
  for (let i = 0; i < env.insns.length; i++) {
    const insn = env.insns[i] as Insn;
    const mode = insnMode(insn.code);
    if (insnClass(insn.code) === BPF_LDX && ((mode !== BPF_MEM && mode !== BPF_MEMSX) || insn.imm !== 0)) {
      env.reject(EINVAL, 'BPF_LDX uses reserved fields');
    }
    if (isLddw(insn)) {
      resolveLdimm64(env, i);
      i++;
    } else if (!isKnownOpcode(insn.code)) {
      env.reject(EINVAL, `unknown opcode ${insn.code.toString(16).padStart(2, '0')}`);
    }
  }
}
