// Flags and constants of helper arguments and results.
// Invariant: names verbatim; values that need more than 32 bits are bigint.
// Source: uapi/linux/bpf.h, Linux 6.18.

// bpf_l3_csum_replace, bpf_l4_csum_replace, bpf_skb_store_bytes
export const BPF_F_RECOMPUTE_CSUM = 0x1;
export const BPF_F_INVALIDATE_HASH = 0x2;
export const BPF_F_HDR_FIELD_MASK = 0xf;
export const BPF_F_PSEUDO_HDR = 0x10;
export const BPF_F_MARK_MANGLED_0 = 0x20;
export const BPF_F_MARK_ENFORCE = 0x40;
export const BPF_F_IPV6 = 0x80;

// bpf_redirect, bpf_redirect_map, bpf_clone_redirect
export const BPF_F_INGRESS = 0x1;
export const BPF_F_BROADCAST = 0x8;
export const BPF_F_EXCLUDE_INGRESS = 0x10;
export const BPF_F_REDIRECT_FLAGS = 0x19;
// Inside the kernel only: how bpf_redirect_neigh and bpf_redirect_peer mark their decision.
export const BPF_F_NEIGH = 0x1_0000;
export const BPF_F_PEER = 0x2_0000;
export const BPF_F_NEXTHOP = 0x4_0000;
export const BPF_F_REDIRECT_INTERNAL = 0x7_0000;

// tunnel keys
export const BPF_F_TUNINFO_IPV6 = 0x1;
export const BPF_F_ZERO_CSUM_TX = 0x2;
export const BPF_F_DONT_FRAGMENT = 0x4;
export const BPF_F_SEQ_NUMBER = 0x8;
export const BPF_F_NO_TUNNEL_KEY = 0x10;
export const BPF_F_TUNINFO_FLAGS = 0x10;

// stacks
export const BPF_F_SKIP_FIELD_MASK = 0xff;
export const BPF_F_USER_STACK = 0x100;
export const BPF_F_FAST_STACK_CMP = 0x200;
export const BPF_F_REUSE_STACKID = 0x400;
export const BPF_F_USER_BUILD_ID = 0x800;

// perf events
export const BPF_F_INDEX_MASK = 0xffff_ffffn;
export const BPF_F_CURRENT_CPU = 0xffff_ffffn;
export const BPF_F_CTXLEN_MASK = 0xf_ffff_0000_0000n;
export const BPF_F_GET_BRANCH_RECORDS_SIZE = 0x1;

// sockets
export const BPF_F_CURRENT_NETNS = -1;
export const BPF_SK_STORAGE_GET_F_CREATE = 0x1;
export const BPF_LOCAL_STORAGE_GET_F_CREATE = 0x1;
export const BPF_SK_LOOKUP_F_REPLACE = 0x1;
export const BPF_SK_LOOKUP_F_NO_REUSEPORT = 0x2;

// bpf_csum_level
export const BPF_CSUM_LEVEL_QUERY = 0;
export const BPF_CSUM_LEVEL_INC = 1;
export const BPF_CSUM_LEVEL_DEC = 2;
export const BPF_CSUM_LEVEL_RESET = 3;

// bpf_skb_adjust_room
export const BPF_F_ADJ_ROOM_FIXED_GSO = 0x1;
export const BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 0x2;
export const BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 = 0x4;
export const BPF_F_ADJ_ROOM_ENCAP_L4_GRE = 0x8;
export const BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 0x10;
export const BPF_F_ADJ_ROOM_NO_CSUM_RESET = 0x20;
export const BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 0x40;
export const BPF_F_ADJ_ROOM_DECAP_L3_IPV4 = 0x80;
export const BPF_F_ADJ_ROOM_DECAP_L3_IPV6 = 0x100;
export const BPF_ADJ_ROOM_ENCAP_L2_MASK = 0xff;
export const BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56;
export const BPF_ADJ_ROOM_NET = 0;
export const BPF_ADJ_ROOM_MAC = 1;

// bpf_skb_load_bytes_relative
export const BPF_HDR_START_MAC = 0;
export const BPF_HDR_START_NET = 1;

// bpf_lwt_push_encap
export const BPF_LWT_ENCAP_SEG6 = 0;
export const BPF_LWT_ENCAP_SEG6_INLINE = 1;
export const BPF_LWT_ENCAP_IP = 2;

// bpf_skb_set_tstamp and __sk_buff.tstamp_type
export const BPF_SKB_TSTAMP_UNSPEC = 0;
export const BPF_SKB_TSTAMP_DELIVERY_MONO = 1;
export const BPF_SKB_CLOCK_REALTIME = 0;
export const BPF_SKB_CLOCK_MONOTONIC = 1;
export const BPF_SKB_CLOCK_TAI = 2;

// ring buffers
export const BPF_RB_NO_WAKEUP = 0x1;
export const BPF_RB_FORCE_WAKEUP = 0x2;
export const BPF_RB_AVAIL_DATA = 0;
export const BPF_RB_RING_SIZE = 1;
export const BPF_RB_CONS_POS = 2;
export const BPF_RB_PROD_POS = 3;
/** Bits of a record's length word. */
export const BPF_RINGBUF_BUSY_BIT = 0x8000_0000;
export const BPF_RINGBUF_DISCARD_BIT = 0x4000_0000;
export const BPF_RINGBUF_HDR_SZ = 8;

// bpf_fib_lookup
export const BPF_FIB_LOOKUP_DIRECT = 0x1;
export const BPF_FIB_LOOKUP_OUTPUT = 0x2;
export const BPF_FIB_LOOKUP_SKIP_NEIGH = 0x4;
export const BPF_FIB_LOOKUP_TBID = 0x8;
export const BPF_FIB_LOOKUP_SRC = 0x10;
export const BPF_FIB_LOOKUP_MARK = 0x20;
export const BPF_FIB_LKUP_RET_SUCCESS = 0;
export const BPF_FIB_LKUP_RET_BLACKHOLE = 1;
export const BPF_FIB_LKUP_RET_UNREACHABLE = 2;
export const BPF_FIB_LKUP_RET_PROHIBIT = 3;
export const BPF_FIB_LKUP_RET_NOT_FWDED = 4;
export const BPF_FIB_LKUP_RET_FWD_DISABLED = 5;
export const BPF_FIB_LKUP_RET_UNSUPP_LWT = 6;
export const BPF_FIB_LKUP_RET_NO_NEIGH = 7;
export const BPF_FIB_LKUP_RET_FRAG_NEEDED = 8;
export const BPF_FIB_LKUP_RET_NO_SRC_ADDR = 9;

// bpf_check_mtu
export const BPF_MTU_CHK_SEGS = 0x1;
export const BPF_MTU_CHK_RET_SUCCESS = 0;
export const BPF_MTU_CHK_RET_FRAG_NEEDED = 1;
export const BPF_MTU_CHK_RET_SEGS_TOOBIG = 2;

// bpf_snprintf_btf and its kin
export const BTF_F_COMPACT = 0x1;
export const BTF_F_NONAME = 0x2;
export const BTF_F_PTR_RAW = 0x4;
export const BTF_F_ZERO = 0x8;

// bpf_timer_init, bpf_timer_start
export const BPF_F_TIMER_ABS = 0x1;
export const BPF_F_TIMER_CPU_PIN = 0x2;

// others
export const BPF_F_SYSCTL_BASE_NAME = 0x1;
export const BPF_F_BPRM_SECUREEXEC = 0x1;
export const BPF_F_PAD_ZEROS = 0x1;
export const BPF_LOAD_HDR_OPT_TCP_SYN = 0x1;
export const BPF_STREAM_MAX_CAPACITY = 100_000;
