// The bpf() seam: one method per command, attributes under their uapi names. Implemented by the simulated kernel (src/kernel) and by a real one (linux/).
// Invariant I9: nothing above this interface knows which of the two is below. Methods return what the system call returns
// (a file descriptor, 0, or the count that the command documents) or throw BpfSyscallError with a positive errno.
// Source: uapi/linux/bpf.h `enum bpf_cmd`, `union bpf_attr`, Linux 6.18.

/** BPF_MAP_CREATE. Sizes in bytes. */
export interface MapCreateAttr {
  readonly map_type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags?: number;
  readonly inner_map_fd?: number;
  readonly numa_node?: number;
  readonly map_name?: string;
  readonly map_ifindex?: number;
  readonly btf_fd?: number;
  readonly btf_key_type_id?: number;
  readonly btf_value_type_id?: number;
  readonly map_extra?: bigint;
}

/** Element commands. `key` and `value` are the caller's buffers; look-ups fill `value` (per-CPU maps: value_size rounded up to 8, times possible CPUs). */
export interface MapElemAttr {
  readonly map_fd: number;
  readonly key?: Uint8Array | undefined;
  readonly value?: Uint8Array;
  readonly next_key?: Uint8Array;
  readonly flags?: bigint;
}

/** Batch commands; `in_batch` undefined starts a walk, `out_batch` receives the cursor; returns the number of elements processed. */
export interface MapBatchAttr {
  readonly map_fd: number;
  readonly in_batch?: Uint8Array | undefined;
  readonly out_batch?: Uint8Array;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly count: number;
  readonly elem_flags?: bigint;
  readonly flags?: bigint;
}

/** What a batch command did: elements processed, and the errno it stopped with (0, or ENOENT at the end of the map, as the kernel). */
export interface MapBatchResult { readonly count: number; readonly errno: number }

/** BPF_PROG_LOAD. `insns` is `struct bpf_insn[]`; info records are packed as in .BTF.ext (uapi struct, no headers). */
export interface ProgLoadAttr {
  readonly prog_type: number;
  readonly insns: Uint8Array;
  readonly license: string;
  /** 0: no log; 1 | 2 level, 4 statistics, 8 fixed buffer (BPF_LOG_*). */
  readonly log_level?: number;
  /** Size of the log buffer in bytes; default 16 MiB - 1 when log_level is set. */
  readonly log_size?: number;
  readonly kern_version?: number;
  readonly prog_flags?: number;
  readonly prog_name?: string;
  readonly prog_ifindex?: number;
  readonly expected_attach_type?: number;
  readonly prog_btf_fd?: number;
  readonly func_info_rec_size?: number;
  readonly func_info?: Uint8Array;
  readonly line_info_rec_size?: number;
  readonly line_info?: Uint8Array;
  readonly attach_btf_id?: number;
  readonly attach_prog_fd?: number;
  readonly attach_btf_obj_fd?: number;
  readonly fd_array?: readonly number[];
}

/** A loaded program's fd, and its log when one was asked for. */
export interface ProgLoadResult { readonly fd: number; readonly log: string }

/** BPF_PROG_TEST_RUN (BPF_PROG_RUN). Buffers are the caller's; `*_size_out` come back in the result. */
export interface ProgTestRunAttr {
  readonly prog_fd: number;
  readonly data_in?: Uint8Array;
  /** Receives the packet; if it is too small, TestRunSpaceError (ENOSPC) has the result in `partial`. */
  readonly data_out?: Uint8Array;
  readonly ctx_in?: Uint8Array;
  readonly ctx_out?: Uint8Array;
  readonly repeat?: number;
  readonly flags?: number;
  readonly cpu?: number;
  readonly batch_size?: number;
}

/** What BPF_PROG_TEST_RUN writes back. `duration` in ns per run, averaged over `repeat`. */
export interface ProgTestRunResult {
  readonly retval: number;
  readonly duration: number;
  readonly data_size_out: number;
  readonly ctx_size_out: number;
}

/** BPF_BTF_LOAD. */
export interface BtfLoadAttr { readonly btf: Uint8Array; readonly btf_log_level?: number }

/** BPF_OBJ_GET_INFO_BY_FD on a map. */
export interface MapInfo {
  readonly type: number;
  readonly id: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags: number;
  readonly name: string;
  readonly btf_id: number;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
  readonly map_extra: bigint;
}

/** BPF_OBJ_GET_INFO_BY_FD on a program. */
export interface ProgInfo {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  readonly tag: string;
  readonly xlated_insns: Uint8Array;
  readonly map_ids: readonly number[];
  readonly gpl_compatible: boolean;
  readonly verified_insns: number;
}

/** The bpf() system call. */
export interface BpfSyscall {
  /** Possible CPUs: per-CPU values have this many slots. */
  readonly possibleCpus: number;
  mapCreate(attr: MapCreateAttr): number;
  mapLookupElem(attr: MapElemAttr): void;
  mapUpdateElem(attr: MapElemAttr): void;
  mapDeleteElem(attr: MapElemAttr): void;
  /** Fills `next_key`; a missing `key` asks for the first. Throws ENOENT at the end. */
  mapGetNextKey(attr: MapElemAttr): void;
  mapLookupAndDeleteElem(attr: MapElemAttr): void;
  mapFreeze(attr: { readonly map_fd: number }): void;
  mapLookupBatch(attr: MapBatchAttr): MapBatchResult;
  mapLookupAndDeleteBatch(attr: MapBatchAttr): MapBatchResult;
  mapUpdateBatch(attr: MapBatchAttr): MapBatchResult;
  mapDeleteBatch(attr: MapBatchAttr): MapBatchResult;
  progLoad(attr: ProgLoadAttr): ProgLoadResult;
  progTestRun(attr: ProgTestRunAttr): ProgTestRunResult;
  btfLoad(attr: BtfLoadAttr): number;
  mapGetInfoByFd(fd: number): MapInfo;
  progGetInfoByFd(fd: number): ProgInfo;
  /** Closes a file descriptor; the object lives on while something else refers to it. */
  close(fd: number): void;
}
