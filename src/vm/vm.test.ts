// The function table, callbacks, and context records.

import { describe, expect, it } from 'vitest';
import { SK_BUFF, XDP_BUFF } from '../spec/context.ts';
import { callBackAt } from './call-back.ts';
import { SkBuff, XdpBuff } from './context.ts';
import { CPU, FRAME_BYTES, createCpuArea, stackTop } from './cpu-area.ts';
import { KernelFunctionTable } from './function-table.ts';
import { KernelMemory, toAddr } from './memory.ts';

describe('the function table', () => {
  it('never hands out slot 0, gives consecutive slots, and reuses what is released', () => {
    const table = new KernelFunctionTable();
    const first = table.allocate(3);
    expect(first).toBeGreaterThan(0);
    const second = table.allocate(2);
    expect(second).toBe(first + 3);
    table.release(first, 3);
    expect(table.allocate(3)).toBe(first);
  });
  it('grows beyond its first size', () => {
    const table = new KernelFunctionTable();
    const slots = Array.from({ length: 300 }, () => table.allocate(1));
    table.set(slots[299] as number, () => 5n);
    expect(new Set(slots).size).toBe(300);
    expect(table.get(slots[299] as number)?.(0n, 0n, 0n, 0n, 0n, 0)).toBe(5n);
  });
  it('makes closures callable from the wasm table', () => {
    const table = new KernelFunctionTable();
    const slot = table.allocate(1);
    table.set(slot, (r1, r2, r3, r4, r5, frame) => r1 + r2 + r3 + r4 + r5 + BigInt(frame));
    const exported = table.wasm.get(slot) as (...args: (bigint | number)[]) => bigint;
    expect(exported(1n, 2n, 3n, 4n, 5n, 6)).toBe(21n);
  });
  it('forgets released functions, and refuses slots that it never gave', () => {
    const table = new KernelFunctionTable();
    const slot = table.allocate(1);
    table.set(slot, () => 1n);
    table.release(slot, 1);
    expect(table.get(slot)).toBeUndefined();
    expect(table.wasm.get(slot)).toBeNull();
    expect(() => table.set(60, () => 1n)).toThrow('not allocated');
    expect(table.get(1000)).toBeUndefined();
  });
});

describe('callbacks', () => {
  const memory = new KernelMemory();
  const area = createCpuArea(memory, 0);
  const table = new KernelFunctionTable();
  const slot = table.allocate(1);
  const cell = (): number => memory.view.getUint32(area + CPU.framePointer, true);

  it('start one frame below their caller, and leave the cell as it was', () => {
    const frames: number[] = [];
    table.set(slot, (_r1, _r2, _r3, _r4, _r5, frame) => {
      frames.push(frame);
      memory.view.setUint32(area + CPU.framePointer, frame, true);
      return -1n;
    });
    const top = stackTop(area);
    expect(callBackAt(memory, area, table, slot, [0n, 0n, 0n, 0n, 0n])).toBe(0xffff_ffff_ffff_ffffn);
    callBackAt(memory, area, table, slot, [0n, 0n, 0n, 0n, 0n]);
    expect(frames).toEqual([top - FRAME_BYTES, top - FRAME_BYTES]);
    expect(cell()).toBe(top);
  });
  it('leave the cell as it was when they fault', () => {
    table.set(slot, () => {
      memory.view.setUint32(area + CPU.framePointer, 1, true);
      throw new RangeError('stop');
    });
    expect(() => callBackAt(memory, area, table, slot, [0n, 0n, 0n, 0n, 0n])).toThrow('stop');
    expect(cell()).toBe(stackTop(area));
  });
});

describe('context records', () => {
  const memory = new KernelMemory();
  it('of XDP frames', () => {
    const frame = memory.alloc(4096, 64);
    const xdp = new XdpBuff(memory, memory.alloc(XDP_BUFF.sizeBytes));
    xdp.init({ frame, frameBytes: 4096, headroom: 256, dataLength: 60, ingressIfindex: 3, rxQueueIndex: 4 });
    expect(memory.view.getBigUint64(xdp.record + XDP_BUFF.data, true)).toBe(toAddr(frame + 256));
    expect([xdp.data, xdp.dataEnd, xdp.dataMeta, xdp.length]).toEqual([frame + 256, frame + 316, frame + 256, 60]);
    expect(xdp.dataHardEnd).toBe(frame + 4096 - 320);
    expect([xdp.ingressIfindex, xdp.u32(XDP_BUFF.rx_queue_index)]).toEqual([3, 4]);
  });
  it('of packets', () => {
    const head = memory.alloc(512, 64);
    const skb = new SkBuff(memory, memory.alloc(SK_BUFF.sizeBytes));
    skb.init({ head, bufferBytes: 512, headroom: 64, dataLength: 100, etherType: 0x86dd, macOffset: 0, networkOffset: 14 });
    expect([skb.data, skb.dataEnd, skb.length, skb.end]).toEqual([head + 64, head + 164, 100, head + 512]);
    expect([skb.header('mac_header'), skb.header('network_header'), skb.header('transport_header')]).toEqual([head + 64, head + 78, undefined]);
    expect(skb.u32(SK_BUFF.protocol)).toBe(0xdd86);
    expect(skb.etherType).toBe(0x86dd);
    skb.setHeader('transport_header', head + 98);
    expect(skb.header('transport_header')).toBe(head + 98);
  });
});
