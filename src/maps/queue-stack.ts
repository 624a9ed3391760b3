// BPF_MAP_TYPE_QUEUE and STACK: values in a ring of max_entries + 1 slots; a queue gives the oldest, a stack the newest.
// Invariant: head == tail means empty; one slot always stays free.
// Source: kernel/bpf/queue_stack_maps.c for semantics and errno.

import { BPF_EXIST, BPF_MAP_TYPE_QUEUE, BPF_NOEXIST } from '../spec/map-types.ts';
import { E2BIG, EINVAL, ENOENT } from '../spec/errno.ts';
import { i32, select } from '../wasm/expr.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionBuilder, Local } from '../wasm/function-builder.ts';
import { BpfMap, flagsAsI32 } from './bpf-map.ts';
import type { MapSetup } from './bpf-map.ts';
import { emitCopy, emitLock, emitUnlock, emitZero } from './code.ts';
import type { Code } from './code.ts';
import { STATE, valueStride } from './layout.ts';
import type { MapCode } from './map-module.ts';

const slotAt = ({ site, shape }: MapCode, index: Expr<'i32'>): Expr<'i32'> => i32.add(site.data, i32.mul(index, valueStride(shape)));

/** The slot after `index`, around the ring. */
function following(f: Code, { shape }: MapCode, index: Expr<'i32'>): Local<'i32'> {
  const next = f.local('i32', i32.add(index, 1));
  f.set(next, select<'i32'>(i32.gt_u(next, shape.maxEntries), 0, next));
  return next;
}

function emitPush(code: MapCode): void {
  const { shape, site } = code;
  code.op('push', (f, value, flags) => {
    f.if(i32.or(i32.and(flags, BPF_NOEXIST), i32.gt_u(flags, BPF_EXIST)), () => f.return(-EINVAL));
    emitLock(f, shape.shared, site.header, STATE.lock);
    const head = f.local('i32', i32.load(site.header, { offset: STATE.head }));
    const next = following(f, code, head);
    const tail = f.local('i32', i32.load(site.header, { offset: STATE.tail }));
    f.if(i32.eq(next, tail), () => {
      f.if(i32.eqz(flags), () => {
        emitUnlock(f, shape.shared, site.header, STATE.lock);
        f.return(-E2BIG);
      });
      f.store32(site.header, following(f, code, tail), { offset: STATE.tail });
    });
    emitCopy(f, f.local('i32', slotAt(code, head)), value, 0, shape.valueSize);
    f.store32(site.header, next, { offset: STATE.head });
    emitUnlock(f, shape.shared, site.header, STATE.lock);
    f.return(0);
  });
}

function emitGet(f: FunctionBuilder<readonly ['i32'], 'i32'>, code: MapCode, value: Local<'i32'>, removes: boolean): void {
  const { shape, site } = code;
  const queue = shape.mapType === BPF_MAP_TYPE_QUEUE;
  emitLock(f, shape.shared, site.header, STATE.lock);
  const head = f.local('i32', i32.load(site.header, { offset: STATE.head }));
  const tail = f.local('i32', i32.load(site.header, { offset: STATE.tail }));
  f.if(i32.eq(head, tail), () => {
    emitUnlock(f, shape.shared, site.header, STATE.lock);
    emitZero(f, value, 0, shape.valueSize);
    f.return(-ENOENT);
  });
  const index = queue ? tail : f.local('i32', select<'i32'>(head, i32.sub(head, 1), shape.maxEntries));
  emitCopy(f, value, f.local('i32', slotAt(code, index)), 0, shape.valueSize);
  if (removes) f.store32(site.header, queue ? following(f, code, index) : index, { offset: queue ? STATE.tail : STATE.head });
  emitUnlock(f, shape.shared, site.header, STATE.lock);
  f.return(0);
}

/** All operations of QUEUE and STACK. */
export function emitQueueOps(code: MapCode): void {
  emitPush(code);
  code.op('pop', (f, value) => emitGet(f, code, value, true));
  code.op('peek', (f, value) => emitGet(f, code, value, false));
}

/** QUEUE and STACK from outside: an update pushes, a look-up peeks, look-up-and-delete pops. */
export class QueueStackMap extends BpfMap {
  constructor(setup: MapSetup) {
    super(setup, { emit: emitQueueOps, dataBytes: (setup.shape.maxEntries + 1) * valueStride(setup.shape) });
  }
  protected override get flaglessPop(): boolean {
    return true;
  }
  protected override sysLookup(_key: Uint8Array, value: Uint8Array): number {
    const result = this.runtime.ops.peek(this.valueScratch);
    this.takeValue(this.valueScratch, value);
    return result;
  }
  protected override sysUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.runtime.ops.push(this.putValue(value), flagsAsI32(flags));
  }
  protected override sysDelete(): number {
    return -EINVAL;
  }
  protected override sysNextKey(): number {
    return -EINVAL;
  }
  protected override sysLookupAndDelete(_key: Uint8Array, value: Uint8Array): number {
    const result = this.runtime.ops.pop(this.valueScratch);
    this.takeValue(this.valueScratch, value);
    return result;
  }
}
