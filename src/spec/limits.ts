// Limits that the kernel sets on programs, the verifier and maps.
// Source: include/linux/filter.h, include/linux/bpf.h, include/linux/bpf_verifier.h, kernel/bpf/verifier.c, uapi/linux/bpf_common.h; Linux 6.18.

/** Bytes of stack that one frame may use. */
export const MAX_BPF_STACK = 512;
/** Bytes of stack that all frames of a call chain may use together. */
export const MAX_BPF_STACK_TOTAL = 512;
/** Registers r0 … r10. */
export const MAX_BPF_REG = 11;
/** r11 and up exist only inside the kernel's rewrites (BPF_REG_AX). */
export const MAX_BPF_EXT_REG = 12;
/** Size of a register in bytes. */
export const BPF_REG_SIZE = 8;
/** Instructions (slots) of a program without CAP_BPF; the limit of classic BPF too. */
export const BPF_MAXINSNS = 4096;
/** Instructions that the verifier processes before it gives up; the limit of a program's slots with CAP_BPF too. */
export const BPF_COMPLEXITY_LIMIT_INSNS = 1_000_000;
/** Branches that may wait on the verifier's stack. */
export const BPF_COMPLEXITY_LIMIT_JMP_SEQ = 8192;
/** States kept at one instruction. */
export const BPF_COMPLEXITY_LIMIT_STATES = 64;
/** Nested bpf-to-bpf calls. */
export const MAX_CALL_FRAMES = 8;
/** Chained tail calls in one run. */
export const MAX_TAIL_CALL_CNT = 33;
/** Stack bytes in a function that tail calls and is called by another: the caller's own stack at most. */
export const MAX_TAIL_CALL_STACK = 256;
/** Functions of one program. */
export const BPF_MAX_SUBPROGS = 256;
/** Maps that one program may use. */
export const MAX_USED_MAPS = 64;
/** BTF objects that one program may use. */
export const MAX_USED_BTFS = 64;
/** kfuncs that one program may call, and module BTFs that they come from. */
export const MAX_KFUNC_DESCS = 256;
export const MAX_KFUNC_BTFS = 256;
/** Arguments of a helper or a bpf-to-bpf call. */
export const MAX_BPF_FUNC_REG_ARGS = 5;
export const MAX_BPF_FUNC_ARGS = 12;
/** Fixed and variable offsets of pointers stay below this. */
export const BPF_MAX_VAR_OFF = 1 << 29;
/** Sizes that a variable access may have. */
export const BPF_MAX_VAR_SIZ = 1 << 29;
/** Largest offset into a packet that can be checked. */
export const MAX_PACKET_OFF = 0xffff;
/** bpf_loop's and may_goto's largest count. */
export const BPF_MAX_LOOPS = 8 * 1024 * 1024;
/** May_goto iterations between looks at the clock. */
export const BPF_MAX_TIMED_LOOPS = 0xffff;
/** Bytes of a name with its NUL. */
export const BPF_OBJ_NAME_LEN = 16;
export const BPF_TAG_SIZE = 8;
export const BPF_BUILD_ID_SIZE = 20;
// log_level of BPF_PROG_LOAD: how much is printed (LEVEL2 prints the state at every instruction), statistics, and a buffer that keeps the beginning.
export const BPF_LOG_LEVEL1 = 1;
export const BPF_LOG_LEVEL2 = 2;
export const BPF_LOG_STATS = 4;
export const BPF_LOG_FIXED = 8;
/** Largest log buffer that bpf() takes, in bytes. */
export const BPF_LOG_MAX_SIZE = 0xffff_ffff >>> 2;
/** One line of the verifier's log, cut here. */
export const BPF_VERIFIER_TMP_LOG_SIZE = 1024;
/** Bytes of a format string's values: bpf_trace_vprintk and its kin. */
export const MAX_BPRINTF_VARARGS = 12;
export const MAX_BPRINTF_BIN_ARGS = 512;
export const MAX_BPRINTF_BUF = 1024;
/** A line of bpf_trace_printk, cut here. */
export const BPF_TRACE_PRINTK_SIZE = 1024;
/** Record sizes of func_info and line_info that the kernel takes. */
export const MIN_BPF_FUNCINFO_SIZE = 8;
export const MAX_FUNCINFO_REC_SIZE = 252;
export const MIN_BPF_LINEINFO_SIZE = 16;
export const MAX_LINEINFO_REC_SIZE = 252;
/** MAX_ERRNO: return values of kernel functions from -4095 to -1 are errors. */
export const MAX_ERRNO = 4095;
/** Bytes before data and after data_end in an XDP frame (XDP_PACKET_HEADROOM, tail room for skb_shared_info). */
export const XDP_PACKET_HEADROOM = 256;
/** sizeof(struct xdp_frame): what bpf_xdp_adjust_head and bpf_xdp_adjust_meta leave free at the start of a frame. */
export const XDP_FRAME_BYTES = 40;
/** sizeof(struct skb_shared_info), aligned: what lies at the end of a frame, behind the tail room. */
export const SKB_SHARED_INFO_BYTES = 320;
/** Largest length that helpers may give a packet (SKB_MAX_ALLOC). */
export const BPF_SKB_MAX_LEN = 16064;
/** Largest length of XDP metadata, a multiple of 4 up to this. */
export const XDP_MAX_METALEN = 255;
/** Packets of BPF_PROG_TEST_RUN: at least an Ethernet header. */
export const ETH_HLEN = 14;
/** Sizes of verifier object pools. */
export const BPF_ID_MAP_SIZE = (MAX_BPF_REG + MAX_BPF_STACK / BPF_REG_SIZE) * MAX_CALL_FRAMES;
/** Bits of `id` that mark a register as its twin plus a constant. */
export const BPF_ADD_CONST64 = 0x8000_0000;
/** The same for a sum that was zero-extended from 32 bits. */
export const BPF_ADD_CONST32 = 0x4000_0000;
/** Either of the two. */
export const BPF_ADD_CONST = 0xc000_0000;
/** A classic filter's scratch words. */
export const BPF_MEMWORDS = 16;
