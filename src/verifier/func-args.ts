// Arguments of functions by their BTF: what a global function may assume, and whether a caller passes it.
// Invariant: a function's arguments are worked out once; a function that is called against its BTF is "unreliable" from then on.
// Source: behaviour and messages of btf_prepare_func_args, btf_check_func_arg_match and btf_check_subprog_call, Linux 6.18.

import type { Btf } from '../btf/btf.ts';
import type { BtfDeclTag, BtfFuncProto } from '../btf/types.ts';
import { isEnum, sizeOf, skipModsAndTypedefs } from '../btf/walk.ts';
import { BTF_KIND_DECL_TAG, BTF_KIND_INT, BTF_KIND_PTR, BTF_KIND_STRUCT, BTF_KINDS } from '../spec/btf.ts';
import { ctxAccessOf } from '../spec/context.ts';
import { EINVAL, EOPNOTSUPP } from '../spec/errno.ts';
import { MAX_BPF_FUNC_REG_ARGS } from '../spec/limits.ts';
import { ARG_DONTCARE, PTR_MAYBE_NULL, PTR_TO_CTX, PTR_TO_MEM, SCALAR_VALUE } from '../spec/verifier-types.ts';
import { NotSupportedError } from '../util/errors.ts';
import { checkFuncArgRegOff } from './arg-types.ts';
import { checkMemReg } from './check-helper-mem.ts';
import { Rejection, type FuncArg, type SubprogInfo, type VerifierEnv } from './env.ts';
import { markRegKnownZero, markRegUnknown } from './mark-reg.ts';
import { regAt } from './reg-arg.ts';
import type { RegState } from './reg-state.ts';

/** Gives a global function's registers what its BTF lets callers pass. */
export function prepareFuncArgs(env: VerifierEnv, subprogno: number): void {
  for (const [i, arg] of argsOf(env, subprogno).entries()) {
    const reg = regAt(env, i + 1);
    if (arg.kind === 'scalar') {
      markRegUnknown(env, reg);
      continue;
    }
    markRegKnownZero(reg);
    reg.type = arg.kind === 'ctx' ? PTR_TO_CTX : PTR_TO_MEM | (arg.nullable ? PTR_MAYBE_NULL : 0);
    if (arg.kind !== 'mem') continue;
    reg.extra = arg.sizeBytes;
    if (arg.nullable) reg.id = env.newId();
  }
}

/** The main function's BTF is looked at too: what is wrong with it is only printed. */
export function noteMainArgs(env: VerifierEnv): void {
  const main = env.subprogs[0] as SubprogInfo;
  if (env.prog.funcInfo.length === 0) return;
  const args = errnoOf(() => argsOf(env, 0)) === 0 ? main.args : undefined;
  if (args?.length !== 1 || args[0]?.kind !== 'ctx') main.unreliable = true;
}

/** Checks the arguments of a call against the callee's BTF. Returns 0, or the errno that a call of a global function fails with. */
export function checkFuncArgs(env: VerifierEnv, subprogno: number): number {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  if (env.prog.funcInfo.length === 0 || subprog.unreliable) return EINVAL;
  const errno = errnoOf(() => { argsOf(env, subprogno).forEach((arg, i) => { checkArg(env, arg, i); }); });
  if (errno !== 0) subprog.unreliable = true;
  return errno;
}

/** The errno that a check rejects with, 0 if it doesn't; what it printed stays. */
function errnoOf(check: () => void): number {
  try {
    check();
    return 0;
  } catch (error) {
    if (error instanceof Rejection) return error.errno;
    throw error;
  }
}

function checkArg(env: VerifierEnv, arg: FuncArg, i: number): void {
  const reg: RegState = regAt(env, i + 1);
  if (arg.kind === 'scalar') {
    if (reg.type !== SCALAR_VALUE) env.reject(EINVAL, `R${i + 1} is not a scalar`);
    return;
  }
  checkFuncArgRegOff(env, reg, i + 1, ARG_DONTCARE);
  if (arg.kind === 'ctx') {
    if (reg.type !== PTR_TO_CTX) env.reject(EINVAL, `arg#${i} expects pointer to ctx`);
    return;
  }
  if (errnoOf(() => { checkMemReg(env, i + 1, arg.sizeBytes); }) !== 0) env.reject(EINVAL);
  if (!arg.nullable && (reg.type & PTR_MAYBE_NULL) !== 0) env.reject(EINVAL, `arg#${i} is expected to be non-NULL`);
}

function argsOf(env: VerifierEnv, subprogno: number): readonly FuncArg[] {
  const subprog = env.subprogs[subprogno] as SubprogInfo;
  if (subprog.args !== undefined) return subprog.args;
  const { btf } = env.options;
  if (btf === undefined) throw new NotSupportedError('function arguments without the BTF at hand');
  const proto = btf.type(btf.sizeOrType(subprog.typeId)) as BtfFuncProto;
  const { isGlobal, name } = subprog;
  const reject = (message: string, errno = EINVAL): never => env.reject(errno, isGlobal ? message : '');
  if (proto.params.length > MAX_BPF_FUNC_REG_ARGS) {
    reject(`Global function ${name}() with ${proto.params.length} > ${MAX_BPF_FUNC_REG_ARGS} args. Buggy compiler.`);
  }
  if (!isScalar(btf, skipModsAndTypedefs(btf, proto.type))) reject(`Global function ${name}() doesn't return scalar. Only those are supported.`);
  subprog.args = proto.params.map((param, i) => argOf(env, btf, subprog, skipModsAndTypedefs(btf, param.type), i));
  return subprog.args;
}

const isScalar = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND_INT || isEnum(btf, id);

/** One argument; `typeId` is free of modifiers. */
function argOf(env: VerifierEnv, btf: Btf, subprog: SubprogInfo, typeId: number, i: number): FuncArg {
  const tags = argTags(env, btf, subprog, i);
  if (btf.kind(typeId) === BTF_KIND_PTR) {
    const pointer = pointerArg(env, btf, subprog, typeId, i, tags);
    if (pointer !== undefined) return pointer;
  }
  if (tags.size > 0) env.reject(EINVAL, `arg#${i} has pointer tag, but is not a pointer type`);
  if (isScalar(btf, typeId)) return { kind: 'scalar' };
  env.reject(EINVAL, subprog.isGlobal ? `Arg#${i} type ${kindName(btf, typeId)} in ${subprog.name}() is not supported yet.` : '');
}

const kindName = (btf: Btf, id: number): string => BTF_KINDS[btf.kind(id)]?.name ?? 'UNKNOWN';

const KNOWN_TAGS: ReadonlySet<string> = new Set(['ctx', 'trusted', 'untrusted', 'nonnull', 'nullable', 'arena']);

/** Declaration tags "arg:…" of argument `i`. */
function argTags(env: VerifierEnv, btf: Btf, subprog: SubprogInfo, i: number): Set<string> {
  const tags = new Set<string>();
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kind(id) !== BTF_KIND_DECL_TAG) continue;
    const tag = btf.type(id) as BtfDeclTag;
    if (tag.type !== subprog.typeId || tag.componentIdx !== i || !tag.name.startsWith('arg:')) continue;
    if (!subprog.isGlobal) env.reject(EOPNOTSUPP, `arg#${i} type tag is not supported in static functions`);
    const name = tag.name.slice('arg:'.length);
    if (!KNOWN_TAGS.has(name)) env.reject(EOPNOTSUPP, `arg#${i} has unsupported set of tags`);
    tags.add(name);
  }
  return tags;
}

/** A pointer argument; undefined for one that a static function's BTF says nothing about. */
function pointerArg(env: VerifierEnv, btf: Btf, subprog: SubprogInfo, pointer: number, i: number, tags: ReadonlySet<string>): FuncArg | undefined {
  if (tags.has('ctx') || isProgCtx(env, btf, pointer, i)) {
    if (tags.size > (tags.has('ctx') ? 1 : 0)) env.reject(EINVAL, `arg#${i} has invalid combination of tags`);
    return { kind: 'ctx' };
  }
  const target = skipModsAndTypedefs(btf, btf.sizeOrType(pointer));
  if (btf.kind(target) === BTF_KIND_STRUCT && btf.name(target) === 'bpf_dynptr') throw new NotSupportedError('dynptr arguments of functions');
  for (const tag of ['trusted', 'untrusted', 'arena']) if (tags.has(tag)) throw new NotSupportedError(`function arguments tagged arg:${tag}`);
  if (!subprog.isGlobal) return undefined;
  const sizeBytes = sizeOf(btf, target);
  if (sizeBytes === undefined) {
    env.reject(EINVAL, `arg#${i} reference type('${kindName(btf, target)} ${btf.name(target)}') size cannot be determined: ${-EINVAL}`);
  }
  return { kind: 'mem', sizeBytes, nullable: !tags.has('nonnull') };
}

const KERNEL_CTX_NAMES: Readonly<Record<string, string>> = { __sk_buff: 'sk_buff', xdp_md: 'xdp_buff' };

/** Whether it points to the context of this program's type, by either of the struct's names. */
function isProgCtx(env: VerifierEnv, btf: Btf, pointer: number, i: number): boolean {
  const target = skipModsAndTypedefs(btf, btf.sizeOrType(pointer));
  if (btf.kind(target) !== BTF_KIND_STRUCT) return false;
  const name = btf.name(target);
  if (name === '') {
    env.log.verbose(`arg#${i} struct doesn't have a name\n`);
    return false;
  }
  const ctx = ctxAccessOf(env.prog.type)?.struct.name;
  return ctx !== undefined && (name === ctx || name === KERNEL_CTX_NAMES[ctx]);
}
