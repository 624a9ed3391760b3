// How `union bpf_attr` and the info structures lie in memory: byte offsets by field, and a writer for them.
// Invariant: offsets are the uapi's of Linux 6.18; older kernels ignore trailing zero fields, so one size serves all.
// Source: uapi/linux/bpf.h.

import { viewOf } from '../src/util/bytes.ts';

/** Bytes of `union bpf_attr` as passed: the longest member that is used here (BPF_PROG_LOAD). */
export const ATTR_BYTES = 152;

/** Byte offsets within `union bpf_attr`, by command. */
export const ATTR = {
  mapCreate: {
    map_type: 0, key_size: 4, value_size: 8, max_entries: 12, map_flags: 16, inner_map_fd: 20, numa_node: 24, map_name: 28,
    map_ifindex: 44, btf_fd: 48, btf_key_type_id: 52, btf_value_type_id: 56, map_extra: 64,
  },
  elem: { map_fd: 0, key: 8, value: 16, flags: 24 },
  batch: { in_batch: 0, out_batch: 8, keys: 16, values: 24, count: 32, map_fd: 36, elem_flags: 40, flags: 48 },
  progLoad: {
    prog_type: 0, insn_cnt: 4, insns: 8, license: 16, log_level: 24, log_size: 28, log_buf: 32, kern_version: 40, prog_flags: 44,
    prog_name: 48, prog_ifindex: 64, expected_attach_type: 68, prog_btf_fd: 72, func_info_rec_size: 76, func_info: 80, func_info_cnt: 88,
    line_info_rec_size: 92, line_info: 96, line_info_cnt: 104, attach_btf_id: 108, attach_prog_fd: 112, fd_array: 120,
  },
  testRun: {
    prog_fd: 0, retval: 4, data_size_in: 8, data_size_out: 12, data_in: 16, data_out: 24, repeat: 32, duration: 36,
    ctx_size_in: 40, ctx_size_out: 44, ctx_in: 48, ctx_out: 56, flags: 64, cpu: 68, batch_size: 72,
  },
  info: { bpf_fd: 0, info_len: 4, info: 8 },
  btfLoad: { btf: 0, btf_log_buf: 8, btf_size: 16, btf_log_size: 20, btf_log_level: 24 },
} as const;

/** Byte offsets within `struct bpf_map_info`. */
export const MAP_INFO = {
  type: 0, id: 4, key_size: 8, value_size: 12, max_entries: 16, map_flags: 20, name: 24, btf_id: 64, btf_key_type_id: 68,
  btf_value_type_id: 72, map_extra: 80, sizeBytes: 88,
} as const;

/** Byte offsets within `struct bpf_prog_info`. */
export const PROG_INFO = {
  type: 0, id: 4, tag: 8, xlated_prog_len: 20, xlated_prog_insns: 32, nr_map_ids: 52, map_ids: 56, name: 64, gpl_compatible: 84,
  verified_insns: 216, sizeBytes: 228,
} as const;

/** Writes fields into an attribute block; little-endian hosts only, as bpfkit's --host is (x86-64, arm64, riscv64, loong64). */
export class AttrWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
  u32(offset: number, value: number | undefined): this {
    this.#view.setUint32(offset, value ?? 0, true);
    return this;
  }
  u64(offset: number, value: bigint | undefined): this {
    this.#view.setBigUint64(offset, value ?? 0n, true);
    return this;
  }
  /** An object name: at most 15 bytes and a NUL; characters that the kernel refuses become '_'. */
  name(offset: number, text: string | undefined): this {
    const clean = (text ?? '').slice(0, 15).replace(/[^A-Za-z0-9_.]/g, '_');
    for (let i = 0; i < clean.length; i++) this.#bytes[offset + i] = clean.charCodeAt(i);
    return this;
  }
}
