// The verification environment: the program, what is known about each instruction, the current state, the log, and how a check rejects.
//
// How the verifier's files work together:
//  · A check looks at `env.state` / `env.frame` / `env.regs[i]` (RegState cursors) and either returns or calls `env.reject(errno, message)`,
//    which logs the message (a newline is added) and throws Rejection; verify.ts catches it. `errno` is positive (EACCES …).
//    Something that is not supported throws NotSupportedError naming the feature.
//  · `env.log.verbose(text)` prints verbatim, newlines included by the caller; per-instruction text is printed only under `env.log.printsInsns`.
//  · `env.insnIdx` is the instruction being checked, `env.insns[i]` the program, `env.aux[i]` what was learned about it.
//  · `env.newId()` gives the ids of RegState.id and references. `env.mapOf(reg)` is the map of a map pointer or value.
//  · A false branch or callback is queued by `pushStack` (states.ts); a register's exact value matters: `markChainPrecision(env, regno)` (backtrack.ts).
//  · Who gives what (signatures that others may rely on):
//      reg-arg.ts      checkRegArg(env, regno, SRC_OP | DST_OP | DST_OP_NO_MARK), clearCallerSavedRegs(env, frame)
//      jmp-history.ts  pushJmpHistory(env, flags, linkedRegs), INSN_F_*, and the packing of linked registers
//      check-mem.ts    checkMemAccess(env, regno, off, bpfSize, isWrite, valueRegno, strictOnce, isLdsx), mayAccessDirectPktData(env, isWrite),
//                      checkMapAccess(env, regno, off, size, zeroAllowed), checkMapAccessType(env, regno, off, size, isWrite),
//                      checkMemRegionAccess(env, regno, off, size, memSize, zeroAllowed), checkPacketAccess(env, regno, off, size, zeroAllowed),
//                      checkStackAccessWithinBounds(env, regno, off, size, isWrite), checkPtrOffReg(env, reg, regno, fixedOffOk),
//                      checkPtrAlignment(env, reg, off, size, strictOnce)
//      check-helper-mem.ts  checkHelperMemAccess, checkStackRangeInitialized (both written, with the helper arguments), checkMemSizeReg, checkMemReg
//      calls.ts        pushCallbackCall(env, insn, subprogno, setCalleeState) (state setters: callbacks.ts), retvalRangeWithin
//      refs.ts         acquireReference, releaseReference(Nomark), forEachReg(state, fn), checkResourceLeak
//      check-alu.ts    checkAluOp(env, insn)
//      check-jmp.ts    checkCondJmpOp(env, insn): next instruction; branch-taken.ts, branch-refine.ts, or-null.ts, packet-range.ts, linked-regs.ts
//      check-call.ts   checkHelperCall(env, insn): next instruction
//      check-btf.ts    checkBtfInfoEarly(env), checkBtfInfo(env)
//      log-state.ts    printVerifierState(env, state, frameno, printAll), printInsnState(env, state, frameno), verboseInsn(env, insn)
//      linfo.ts        verboseLinfo(env, insnIdx, prefix)
//  · Transforms (fixups.ts) run after all checks and never reject.
// Source: kernel `struct bpf_verifier_env`, Linux 6.18.

import { EFAULT } from '../spec/errno.ts';
import type { Insn, Program } from '../insn/insn.ts';
import { InternalError } from '../util/errors.ts';
import type { VerifierMap, VerifierOptions } from './api.ts';
import { Backtrack } from './backtrack-masks.ts';
import { ExploredStates } from './explored.ts';
import type { FuncState } from './func-state.ts';
import { IdMap } from './id-map.ts';
import { LiveStack } from './live-stack.ts';
import { VerifierLog } from './log.ts';
import type { RegState } from './reg-state.ts';
import { FramePool } from './state-pool.ts';
import { VerifierState } from './verifier-state.ts';

/** Thrown by `env.reject`, caught in verify.ts (and where speculative paths end). The message is already in the log. */
export class Rejection {
  readonly errno: number;
  readonly insn: number;
  constructor(errno: number, insn: number) {
    this.errno = errno;
    this.insn = insn;
  }
}

/** What is known about one instruction; one object per slot, made once. */
export interface InsnAux {
  /** Register type of the memory operand (0 not yet), for agreement between paths and for fix-ups. */
  ptrType: number;
  /** Different paths use different kinds of memory here. */
  memoryMixed: boolean;
  /** 1 + index of the map of a helper call or LDDW; 0 none; -1 different maps on different paths. */
  mapIndex: number;
  /** Byte offset in a map's value for LDDW of a map value. */
  mapOff: number;
  /** Constant key of a map helper: undefined never seen, -1 differs. */
  constantKey: number | undefined;
  /** The callback's subprogram of a call or LDDW of a function; -1 none. */
  callbackSubprog: number;
  ctxFieldSize: number;
  /** Bitmask of live registers before the instruction. */
  liveRegsBefore: number;
  scc: number;
  /** alu_limit and alu_state of pointer arithmetic in unprivileged programs. */
  aluState: number;
  aluLimit: number;
  seen: boolean;
  prunePoint: boolean;
  forceCheckpoint: boolean;
  jmpPoint: boolean;
  callsCallback: boolean;
  sanitizeStackSpill: boolean;
  nospec: boolean;
  nospecResult: boolean;
  zextDst: boolean;
  maybeUnaligned: boolean;
  readsUninitStack: boolean;
  /** A spill, call or fill of a bpf_fastcall pattern; the number of pairs around a call. */
  fastcallPattern: boolean;
  fastcallSpillsNum: number;
  /** For bpf_loop: every path passes flags 0 and the same callback. */
  loopInlineInitialized: boolean;
  loopInlineFit: boolean;
}

/** An argument of a function as its BTF has it. */
export type FuncArg =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  | { readonly kind: 'mem'; readonly sizeBytes: number; readonly nullable: boolean };

/** A function of the program: slots [start, next.start). */
export interface SubprogInfo {
  start: number;
  stackDepth: number;
  name: string;
  /** BTF type id of the function, 0 without func_info. */
  typeId: number;
  isGlobal: boolean;
  isCallback: boolean;
  isAsyncCallback: boolean;
  isExceptionCallback: boolean;
  hasTailCall: boolean;
  tailCallReachable: boolean;
  hasLdAbs: boolean;
  mayGoto: boolean;
  changesPktData: boolean;
  mightSleep: boolean;
  called: boolean;
  verified: boolean;
  /** fastcall spill slots: lowest offset, and whether to keep them. */
  fastcallStackOff: number;
  keepFastcallStack: boolean;
  /** Arguments by BTF, undefined until they are asked for. */
  args: readonly FuncArg[] | undefined;
  /** It was called against its BTF, or its BTF makes no sense. */
  unreliable: boolean;
  /** Postorder of the function's slots. */
  postorderStart: number;
}

const newAux = (): InsnAux => ({
  ptrType: 0, memoryMixed: false, mapIndex: 0, mapOff: 0, constantKey: undefined, callbackSubprog: -1, ctxFieldSize: 0, liveRegsBefore: 0, scc: 0, aluState: 0, aluLimit: 0,
  seen: false, prunePoint: false, forceCheckpoint: false, jmpPoint: false, callsCallback: false, sanitizeStackSpill: false, nospec: false,
  nospecResult: false, zextDst: false, maybeUnaligned: false, readsUninitStack: false, fastcallPattern: false, fastcallSpillsNum: 0,
  loopInlineInitialized: false, loopInlineFit: false,
});

/** A branch that waits to be walked. */
export interface PendingState { readonly state: VerifierState; readonly insnIdx: number; readonly prevInsnIdx: number; readonly logPosition: number }

/** Everything one verification owns. */
export class VerifierEnv {
  readonly prog: Program;
  readonly options: VerifierOptions;
  readonly log: VerifierLog;
  /** The program; fix-ups replace whole entries, checks never do. */
  readonly insns: Insn[];
  readonly aux: InsnAux[];
  readonly subprogs: SubprogInfo[] = [];
  /** Maps that the program names, in order of first use; inner templates are appended as they are met. */
  readonly maps: VerifierMap[] = [];
  /** The file descriptor that named each of `maps` (inner templates: -1). */
  readonly mapFds: number[] = [];

  state: VerifierState = new VerifierState();
  insnIdx = 0;
  prevInsnIdx = -1;
  insnProcessed = 0;
  readonly pool = new FramePool();
  /** Branches still to be walked, and states remembered for pruning. */
  readonly pending: PendingState[] = [];
  readonly explored: ExploredStates;
  readonly bt = new Backtrack();
  readonly idMap = new IdMap();
  liveStack: LiveStack;
  /** Counters of the statistics line. */
  maxStatesPerInsn = 0;
  totalStates = 0;
  peakStates = 0;
  longestMarkReadWalk = 0;

  /** perfmon (or sysAdmin): pointers may leak into scalars, and stack bytes may be read uninitialised. */
  readonly allowPtrLeaks: boolean;
  readonly allowUninitStack: boolean;
  readonly bypassSpecV1: boolean;
  readonly bypassSpecV4: boolean;
  readonly bpfCapable: boolean;
  /** BPF_F_STRICT_ALIGNMENT (or an architecture without efficient unaligned access). */
  readonly strictAlignment: boolean;
  /** BPF_F_TEST_STATE_FREQ */
  readonly testStateFreq: boolean;
  /** BPF_F_TEST_REG_INVARIANTS */
  readonly testRegInvariants: boolean;
  /** Counts of jumps and instructions since the last remembered state, for the heuristic of when to remember one. */
  jmpsProcessed = 0;
  prevJmpsProcessed = 0;
  prevInsnProcessed = 0;
  /** Unprivileged pointer arithmetic is being explored: states compare exactly. */
  exploreAluLimits = false;
  /** Whether this instruction already has its entry at the end of the state's jump history. */
  curHistEntry = false;
  /** Registers and stack slots (spi 0–31, 32–63) of the current frame that changed since the state was last printed. */
  scratchedRegs = 0;
  scratchedStackLow = 0;
  scratchedStackHigh = 0;
  /** Log positions for printing a state on its instruction's line. */
  prevLogPos = 0;
  prevInsnPrintPos = 0;
  /** Index of the line-info record printed last, -1 none. */
  prevLinfo = -1;
  /** The program may write packet data directly (may_access_direct_pkt_data was asked). */
  seenDirectWrite = false;
  #idGen = 0;

  constructor(prog: Program, options: VerifierOptions) {
    this.prog = prog;
    this.options = options;
    this.log = new VerifierLog(options.logLevel);
    this.insns = [...prog.insns];
    this.explored = new ExploredStates(prog.insns.length);
    this.liveStack = new LiveStack(this, new Int32Array(0));
    this.aux = Array.from({ length: prog.insns.length }, newAux);
    const { caps } = options;
    const perfmon = caps.perfmon || caps.sysAdmin;
    this.allowPtrLeaks = perfmon;
    this.allowUninitStack = perfmon;
    this.bypassSpecV1 = perfmon;
    this.bypassSpecV4 = perfmon;
    this.bpfCapable = caps.bpf || caps.sysAdmin;
    this.strictAlignment = (prog.flags & 1) !== 0;
    this.testStateFreq = (prog.flags & 8) !== 0;
    this.testRegInvariants = (prog.flags & 128) !== 0;
  }

  /** The frame being executed. */
  get frame(): FuncState { return this.state.frames[this.state.curframe] as FuncState; }
  /** Registers of the frame being executed. */
  get regs(): readonly RegState[] { return this.frame.regs; }

  markRegScratched(regno: number): void { this.scratchedRegs |= 1 << regno; }
  markStackSlotScratched(spi: number): void {
    if (spi < 32) this.scratchedStackLow |= 1 << spi;
    else this.scratchedStackHigh |= 1 << (spi - 32);
  }
  /** Everything is to be printed next time. */
  markStateScratched(): void {
    this.scratchedRegs = ~0;
    this.scratchedStackLow = ~0;
    this.scratchedStackHigh = ~0;
  }
  markStateClean(): void {
    this.scratchedRegs = 0;
    this.scratchedStackLow = 0;
    this.scratchedStackHigh = 0;
  }
  get isStateScratched(): boolean { return (this.scratchedRegs | this.scratchedStackLow | this.scratchedStackHigh) !== 0; }

  /** A fresh id, from 1. */
  newId(): number { return ++this.#idGen; }
  /** The last id given (idmaps of pruning start after it). */
  get lastId(): number { return this.#idGen; }

  /** The map of a register's map pointer or map value. InternalError if it has none. */
  mapOf(reg: RegState): VerifierMap {
    const map = this.maps[reg.mapIndex - 1];
    if (map === undefined) throw new InternalError('register without a map');
    return map;
  }

  /** The subprogram that starts at slot `start`, -1 if none. */
  findSubprog(start: number): number {
    let low = 0;
    let high = this.subprogs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = (this.subprogs[middle] as SubprogInfo).start;
      if (at === start) return middle;
      if (at < start) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The subprogram that slot `insnIdx` belongs to. */
  containingSubprog(insnIdx: number): number {
    let at = this.subprogs.length - 1;
    while (at > 0 && (this.subprogs[at] as SubprogInfo).start > insnIdx) at--;
    return at;
  }

  /** One past the last slot of a subprogram. */
  subprogEnd(subprogno: number): number { return this.subprogs[subprogno + 1]?.start ?? this.insns.length; }

  /** The map's name as messages print it: the template of an inner map has none. */
  mapName(reg: RegState): string {
    return this.mapFds[reg.mapIndex - 1] === -1 ? '' : this.mapOf(reg).name;
  }

  /** 1 + index of `map` in `maps`, appending it if new. */
  indexOfMap(map: VerifierMap): number {
    const at = this.maps.indexOf(map);
    if (at >= 0) return at + 1;
    this.mapFds[this.maps.length] = -1;
    return this.maps.push(map);
  }

  /** Logs `message` with a newline (nothing when it is empty) and ends the check. `errno` is positive. */
  reject(errno: number, message = ''): never {
    if (message !== '') this.log.verbose(`${message}\n`);
    throw new Rejection(errno, this.insnIdx);
  }

  /** A state that the kernel's verifier calls a bug of its own; it rejects the program with -EFAULT, and so is it done here. */
  verifierBug(what: string): never {
    this.reject(EFAULT, `verifier bug: ${what}`);
  }

  /** A bug of ours or a state that the kernel calls impossible ("verifier bug"). */
  bug(what: string): never {
    throw new InternalError(`verifier: ${what} at insn ${this.insnIdx}`);
  }
}
