// A BpfSyscall that keeps what it was asked, for tests of the loader alone. It holds element values by key, and can be told to refuse.

import type { BpfSyscall, BtfLoadAttr, MapCreateAttr, MapElemAttr, ProgLoadAttr, ProgLoadResult } from '../../src/spec/syscall.ts';
import { toHex } from '../../src/util/bytes.ts';
import { BpfSyscallError, InternalError } from '../../src/util/errors.ts';

export interface RecordedMap { readonly attr: MapCreateAttr; readonly elems: Map<string, Uint8Array>; frozen: boolean }

const notHere = (): never => {
  throw new InternalError('the recording kernel does not do this');
};

export class RecordingKernel implements BpfSyscall {
  readonly possibleCpus = 4;
  readonly maps = new Map<number, RecordedMap>();
  readonly progs = new Map<number, ProgLoadAttr>();
  readonly btfs: BtfLoadAttr[] = [];
  readonly open = new Set<number>();
  /** Called before each command; may throw. */
  refuse: (command: string, attr: unknown) => void = () => {};
  #next = 10;

  #fd(): number {
    this.#next++;
    this.open.add(this.#next);
    return this.#next;
  }
  #map(fd: number): RecordedMap {
    const map = this.maps.get(fd);
    if (map === undefined || !this.open.has(fd)) throw new BpfSyscallError('BPF_MAP', 9, `no map ${fd}`);
    return map;
  }
  mapCreate(attr: MapCreateAttr): number {
    this.refuse('mapCreate', attr);
    const fd = this.#fd();
    this.maps.set(fd, { attr, elems: new Map(), frozen: false });
    return fd;
  }
  mapLookupElem(attr: MapElemAttr): void {
    const value = this.#map(attr.map_fd).elems.get(toHex(attr.key ?? new Uint8Array(0)));
    if (value === undefined) throw new BpfSyscallError('BPF_MAP_LOOKUP_ELEM', 2, 'no element');
    attr.value?.set(value);
  }
  mapUpdateElem(attr: MapElemAttr): void {
    this.refuse('mapUpdateElem', attr);
    const map = this.#map(attr.map_fd);
    if (map.frozen) throw new BpfSyscallError('BPF_MAP_UPDATE_ELEM', 1, 'frozen');
    map.elems.set(toHex(attr.key ?? new Uint8Array(0)), attr.value?.slice() ?? new Uint8Array(0));
  }
  mapFreeze(attr: { readonly map_fd: number }): void {
    this.#map(attr.map_fd).frozen = true;
  }
  mapGetNextKey(attr: MapElemAttr): void {
    const keys = [...this.#map(attr.map_fd).elems.keys()];
    const next = attr.key === undefined ? keys[0] : keys[keys.indexOf(toHex(attr.key)) + 1];
    if (next === undefined) throw new BpfSyscallError('BPF_MAP_GET_NEXT_KEY', 2, 'end');
    attr.next_key?.set(Buffer.from(next, 'hex'));
  }
  progLoad(attr: ProgLoadAttr): ProgLoadResult {
    this.refuse('progLoad', attr);
    const fd = this.#fd();
    this.progs.set(fd, attr);
    return { fd, log: attr.log_level === 0 ? '' : 'log' };
  }
  btfLoad(attr: BtfLoadAttr): number {
    this.refuse('btfLoad', attr);
    this.btfs.push(attr);
    return this.#fd();
  }
  close(fd: number): void {
    if (!this.open.delete(fd)) throw new BpfSyscallError('close', 9, `fd ${fd}`);
  }
  mapDeleteElem = notHere;
  mapLookupAndDeleteElem = notHere;
  mapLookupBatch = notHere;
  mapLookupAndDeleteBatch = notHere;
  mapUpdateBatch = notHere;
  mapDeleteBatch = notHere;
  progTestRun = notHere;
  mapGetInfoByFd = notHere;
  progGetInfoByFd = notHere;
}
