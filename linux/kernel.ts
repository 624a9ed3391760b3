// The real kernel behind the BpfSyscall seam: each method packs one `union bpf_attr`, calls bpf(2) and unpacks the answer.
// Invariant: it loads, fills and test-runs; nothing here attaches a program to anything. Closing it closes every fd it made.
// Source: bpf(2); uapi/linux/bpf.h; Linux 6.18 kernel/bpf/syscall.c for the errors' meaning.

import { readFileSync } from 'node:fs';
import { cString, viewOf } from '../src/util/bytes.ts';
import { BpfSyscallError, TestRunSpaceError } from '../src/util/errors.ts';
import type {
  BpfSyscall, BtfLoadAttr, MapBatchAttr, MapBatchResult, MapCreateAttr, MapElemAttr, MapInfo, ProgInfo, ProgLoadAttr, ProgLoadResult,
  ProgTestRunAttr, ProgTestRunResult,
} from '../src/spec/syscall.ts';
import { ENOENT, ENOSPC, EPERM, errnoName } from '../src/spec/errno.ts';
import { BPF_COMMANDS } from '../src/spec/commands.ts';
import { ATTR, ATTR_BYTES, AttrWriter, MAP_INFO, PROG_INFO } from './attr.ts';
import { loadNative, type Native, type NativeBuffer } from './native.ts';

const DEFAULT_LOG_BYTES = 16 * 1024 * 1024 - 1;

type Command = keyof typeof BPF_COMMANDS;

/** The running Linux kernel. Make one with `openLinuxKernel`. */
export class LinuxKernel implements BpfSyscall {
  readonly possibleCpus = readPossibleCpus();
  readonly #native: Native;
  readonly #fds = new Set<number>();
  constructor(native: Native) {
    this.#native = native;
  }

  mapCreate(attr: MapCreateAttr): number {
    const at = ATTR.mapCreate;
    const block = this.#begin();
    new AttrWriter(block.bytes)
      .u32(at.map_type, attr.map_type).u32(at.key_size, attr.key_size).u32(at.value_size, attr.value_size)
      .u32(at.max_entries, attr.max_entries).u32(at.map_flags, attr.map_flags).u32(at.inner_map_fd, attr.inner_map_fd)
      .u32(at.numa_node, attr.numa_node).name(at.map_name, attr.map_name).u32(at.map_ifindex, attr.map_ifindex)
      .u32(at.btf_fd, attr.btf_fd).u32(at.btf_key_type_id, attr.btf_key_type_id).u32(at.btf_value_type_id, attr.btf_value_type_id)
      .u64(at.map_extra, attr.map_extra);
    return this.#own(this.#call('BPF_MAP_CREATE', block));
  }

  mapLookupElem(attr: MapElemAttr): void {
    this.#elem('BPF_MAP_LOOKUP_ELEM', attr, attr.value);
  }
  mapUpdateElem(attr: MapElemAttr): void {
    this.#elem('BPF_MAP_UPDATE_ELEM', attr, undefined);
  }
  mapDeleteElem(attr: MapElemAttr): void {
    this.#elem('BPF_MAP_DELETE_ELEM', attr, undefined);
  }
  mapLookupAndDeleteElem(attr: MapElemAttr): void {
    this.#elem('BPF_MAP_LOOKUP_AND_DELETE_ELEM', attr, attr.value);
  }
  mapGetNextKey(attr: MapElemAttr): void {
    this.#elem('BPF_MAP_GET_NEXT_KEY', { ...attr, value: attr.next_key ?? new Uint8Array(0) }, attr.next_key);
  }

  mapFreeze(attr: { readonly map_fd: number }): void {
    const block = this.#begin();
    new AttrWriter(block.bytes).u32(ATTR.elem.map_fd, attr.map_fd);
    this.#call('BPF_MAP_FREEZE', block);
  }

  mapLookupBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#batch('BPF_MAP_LOOKUP_BATCH', attr, true);
  }
  mapLookupAndDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#batch('BPF_MAP_LOOKUP_AND_DELETE_BATCH', attr, true);
  }
  mapUpdateBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#batch('BPF_MAP_UPDATE_BATCH', attr, false);
  }
  mapDeleteBatch(attr: MapBatchAttr): MapBatchResult {
    return this.#batch('BPF_MAP_DELETE_BATCH', attr, false);
  }

  progLoad(attr: ProgLoadAttr): ProgLoadResult {
    const at = ATTR.progLoad;
    const block = this.#begin();
    const logSize = (attr.log_level ?? 0) === 0 ? 0 : (attr.log_size ?? DEFAULT_LOG_BYTES);
    const log = logSize === 0 ? undefined : this.#native.buffer(logSize, false);
    new AttrWriter(block.bytes)
      .u32(at.prog_type, attr.prog_type).u32(at.insn_cnt, attr.insns.length / 8).u64(at.insns, this.#in(attr.insns))
      .u64(at.license, this.#in(new TextEncoder().encode(`${attr.license}\0`)))
      .u32(at.log_level, attr.log_level).u32(at.log_size, logSize).u64(at.log_buf, log?.address)
      .u32(at.kern_version, attr.kern_version).u32(at.prog_flags, attr.prog_flags).name(at.prog_name, attr.prog_name)
      .u32(at.prog_ifindex, attr.prog_ifindex).u32(at.expected_attach_type, attr.expected_attach_type).u32(at.prog_btf_fd, attr.prog_btf_fd)
      .u32(at.attach_btf_id, attr.attach_btf_id).u32(at.attach_prog_fd, attr.attach_prog_fd ?? attr.attach_btf_obj_fd);
    this.#infoRecords(block, at.func_info, at.func_info_cnt, at.func_info_rec_size, attr.func_info, attr.func_info_rec_size);
    this.#infoRecords(block, at.line_info, at.line_info_cnt, at.line_info_rec_size, attr.line_info, attr.line_info_rec_size);
    if (attr.fd_array !== undefined) {
      new AttrWriter(block.bytes).u64(at.fd_array, this.#in(new Uint8Array(Int32Array.from(attr.fd_array).buffer)));
    }
    const result = this.#native.bpf(BPF_COMMANDS.BPF_PROG_LOAD, block);
    const text = log === undefined ? '' : decodeText(log.bytes);
    if (result < 0) throw syscallError('BPF_PROG_LOAD', -result, text);
    return { fd: this.#own(result), log: text };
  }

  progTestRun(attr: ProgTestRunAttr): ProgTestRunResult {
    const at = ATTR.testRun;
    const block = this.#begin();
    const dataOut = this.#out(attr.data_out);
    const ctxOut = this.#out(attr.ctx_out);
    new AttrWriter(block.bytes)
      .u32(at.prog_fd, attr.prog_fd).u32(at.data_size_in, attr.data_in?.length).u64(at.data_in, this.#in(attr.data_in))
      .u32(at.data_size_out, attr.data_out?.length).u64(at.data_out, dataOut?.address).u32(at.repeat, attr.repeat)
      .u32(at.ctx_size_in, attr.ctx_in?.length).u64(at.ctx_in, this.#in(attr.ctx_in))
      .u32(at.ctx_size_out, attr.ctx_out?.length).u64(at.ctx_out, ctxOut?.address)
      .u32(at.flags, attr.flags).u32(at.cpu, attr.cpu).u32(at.batch_size, attr.batch_size);
    const failed = this.#native.bpf(BPF_COMMANDS.BPF_PROG_TEST_RUN, block);
    if (failed < 0 && -failed !== ENOSPC) throw syscallError('BPF_PROG_TEST_RUN', -failed, '');
    if (dataOut !== undefined) attr.data_out?.set(dataOut.bytes);
    if (ctxOut !== undefined) attr.ctx_out?.set(ctxOut.bytes);
    const view = viewOf(block.bytes);
    const u32 = (offset: number): number => view.getUint32(offset, true);
    const result = { retval: u32(at.retval), duration: u32(at.duration), data_size_out: u32(at.data_size_out), ctx_size_out: u32(at.ctx_size_out) };
    if (failed < 0) throw new TestRunSpaceError(ENOSPC, 'ENOSPC: data_out or ctx_out is too small', result);
    return result;
  }

  btfLoad(attr: BtfLoadAttr): number {
    const at = ATTR.btfLoad;
    const block = this.#begin();
    const level = attr.btf_log_level ?? 0;
    const log = level === 0 ? undefined : this.#native.buffer(1 << 20);
    new AttrWriter(block.bytes)
      .u64(at.btf, this.#in(attr.btf)).u32(at.btf_size, attr.btf.length).u32(at.btf_log_level, level)
      .u64(at.btf_log_buf, log?.address).u32(at.btf_log_size, log?.bytes.length);
    const result = this.#native.bpf(BPF_COMMANDS.BPF_BTF_LOAD, block);
    if (result < 0) throw syscallError('BPF_BTF_LOAD', -result, log === undefined ? '' : decodeText(log.bytes));
    return this.#own(result);
  }

  mapGetInfoByFd(fd: number): MapInfo {
    const bytes = this.#info(fd, MAP_INFO.sizeBytes);
    const view = viewOf(bytes);
    const u32 = (offset: number): number => view.getUint32(offset, true);
    return {
      type: u32(MAP_INFO.type), id: u32(MAP_INFO.id), key_size: u32(MAP_INFO.key_size), value_size: u32(MAP_INFO.value_size),
      max_entries: u32(MAP_INFO.max_entries), map_flags: u32(MAP_INFO.map_flags), name: cString(bytes, MAP_INFO.name),
      btf_id: u32(MAP_INFO.btf_id), btf_key_type_id: u32(MAP_INFO.btf_key_type_id), btf_value_type_id: u32(MAP_INFO.btf_value_type_id),
      map_extra: view.getBigUint64(MAP_INFO.map_extra, true),
    };
  }

  progGetInfoByFd(fd: number): ProgInfo {
    const sizes = viewOf(this.#info(fd, PROG_INFO.sizeBytes));
    const insnBytes = sizes.getUint32(PROG_INFO.xlated_prog_len, true);
    const mapCount = sizes.getUint32(PROG_INFO.nr_map_ids, true);
    const { bytes, xlated, mapIds } = this.#progInfo(fd, insnBytes, mapCount);
    const view = viewOf(bytes);
    return {
      type: view.getUint32(PROG_INFO.type, true), id: view.getUint32(PROG_INFO.id, true), name: cString(bytes, PROG_INFO.name),
      tag: [...bytes.subarray(PROG_INFO.tag, PROG_INFO.tag + 8)].map((b) => b.toString(16).padStart(2, '0')).join(''),
      xlated_insns: xlated, map_ids: mapIds, gpl_compatible: (view.getUint32(PROG_INFO.gpl_compatible, true) & 1) !== 0,
      verified_insns: view.getUint32(PROG_INFO.verified_insns, true),
    };
  }

  close(fd: number): void {
    if (this.#fds.delete(fd)) this.#native.close(fd);
  }

  /** Closes every file descriptor that this object made. */
  closeAll(): void {
    for (const fd of this.#fds) this.#native.close(fd);
    this.#fds.clear();
  }

  #begin(): NativeBuffer {
    this.#native.reset();
    return this.#native.buffer(ATTR_BYTES);
  }

  #own(fd: number): number {
    this.#fds.add(fd);
    return fd;
  }

  #call(command: Command, block: NativeBuffer): number {
    const result = this.#native.bpf(BPF_COMMANDS[command], block);
    if (result < 0) throw syscallError(command, -result, '');
    return result;
  }

  /** Copies a buffer for the kernel to read; its address, 0 for none. */
  #in(bytes: Uint8Array | undefined): bigint {
    if (bytes === undefined || bytes.length === 0) return 0n;
    const native = this.#native.buffer(bytes.length, false);
    native.bytes.set(bytes);
    return native.address;
  }

  #out(bytes: Uint8Array | undefined): NativeBuffer | undefined {
    if (bytes === undefined || bytes.length === 0) return undefined;
    const native = this.#native.buffer(bytes.length);
    native.bytes.set(bytes);
    return native;
  }

  #elem(command: Command, attr: MapElemAttr, result: Uint8Array | undefined): void {
    const at = ATTR.elem;
    const block = this.#begin();
    const value = this.#out(attr.value);
    new AttrWriter(block.bytes)
      .u32(at.map_fd, attr.map_fd).u64(at.key, this.#in(attr.key)).u64(at.value, value?.address).u64(at.flags, attr.flags);
    this.#call(command, block);
    if (result !== undefined && value !== undefined) result.set(value.bytes);
  }

  #batch(command: Command, attr: MapBatchAttr, fills: boolean): MapBatchResult {
    const at = ATTR.batch;
    const block = this.#begin();
    const outBatch = this.#out(attr.out_batch);
    const keys = this.#out(attr.keys);
    const values = this.#out(attr.values);
    new AttrWriter(block.bytes)
      .u64(at.in_batch, this.#in(attr.in_batch)).u64(at.out_batch, outBatch?.address).u64(at.keys, keys?.address)
      .u64(at.values, values?.address).u32(at.count, attr.count).u32(at.map_fd, attr.map_fd)
      .u64(at.elem_flags, attr.elem_flags).u64(at.flags, attr.flags);
    const result = this.#native.bpf(BPF_COMMANDS[command], block);
    if (result < 0 && -result !== ENOENT) throw syscallError(command, -result, '');
    if (outBatch !== undefined) attr.out_batch?.set(outBatch.bytes);
    if (fills && keys !== undefined) attr.keys.set(keys.bytes);
    if (fills && values !== undefined) attr.values.set(values.bytes);
    return { count: viewOf(block.bytes).getUint32(at.count, true), errno: result < 0 ? -result : 0 };
  }

  #infoRecords(block: NativeBuffer, at: number, countAt: number, sizeAt: number, records: Uint8Array | undefined, recordBytes: number | undefined): void {
    if (records === undefined || recordBytes === undefined || records.length === 0) return;
    new AttrWriter(block.bytes).u64(at, this.#in(records)).u32(countAt, records.length / recordBytes).u32(sizeAt, recordBytes);
  }

  #info(fd: number, sizeBytes: number): Uint8Array {
    const block = this.#begin();
    const info = this.#native.buffer(sizeBytes);
    new AttrWriter(block.bytes).u32(ATTR.info.bpf_fd, fd).u32(ATTR.info.info_len, sizeBytes).u64(ATTR.info.info, info.address);
    this.#call('BPF_OBJ_GET_INFO_BY_FD', block);
    return info.bytes.slice();
  }

  #progInfo(fd: number, insnBytes: number, mapCount: number): { bytes: Uint8Array; xlated: Uint8Array; mapIds: number[] } {
    const block = this.#begin();
    const info = this.#native.buffer(PROG_INFO.sizeBytes);
    const xlated = this.#native.buffer(insnBytes);
    const ids = this.#native.buffer(mapCount * 4);
    new AttrWriter(info.bytes)
      .u32(PROG_INFO.xlated_prog_len, insnBytes).u64(PROG_INFO.xlated_prog_insns, xlated.address)
      .u32(PROG_INFO.nr_map_ids, mapCount).u64(PROG_INFO.map_ids, ids.address);
    new AttrWriter(block.bytes).u32(ATTR.info.bpf_fd, fd).u32(ATTR.info.info_len, PROG_INFO.sizeBytes).u64(ATTR.info.info, info.address);
    this.#call('BPF_OBJ_GET_INFO_BY_FD', block);
    const idView = viewOf(ids.bytes);
    const mapIds = Array.from({ length: mapCount }, (_, i) => idView.getUint32(4 * i, true));
    return { bytes: info.bytes.slice(), xlated: xlated.bytes.slice(), mapIds };
  }
}

/** Opens the running kernel. Throws UsageError where there is none (another system, no koffi); permission shows at the first call. */
export async function openLinuxKernel(): Promise<LinuxKernel> {
  return new LinuxKernel(await loadNative());
}

function syscallError(command: Command, errno: number, log: string): BpfSyscallError {
  const hint = errno === EPERM && log === '' ? ' (needs root, or CAP_BPF with CAP_NET_ADMIN or CAP_PERFMON)' : '';
  return new BpfSyscallError(command, errno, `${errnoName(errno)}${hint}`, log);
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.length : end).toString('latin1');
}

/** Highest possible CPU + 1, as libbpf counts them; from sysfs text such as `0-7` or `0,2-3`. */
function readPossibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'latin1').trim();
  return text.split(',').reduce((count, range) => {
    const [first = '0', last = first] = range.split('-');
    return count + Number(last) - Number(first) + 1;
  }, 0);
}
