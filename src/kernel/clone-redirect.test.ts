// bpf_clone_redirect through a simulated kernel: a copy goes to the device, the packet itself goes on.

import { expect, test } from 'vitest';
import { assemble } from '../asm/assemble.ts';
import { encodeInsns } from '../insn/encode.ts';
import { BPF_PROG_TYPE_SCHED_CLS } from '../spec/prog-types.ts';
import type { SentPacket } from './sim-host.ts';
import { SimKernel } from './sim-kernel.ts';

const program = (ifindex: number): Uint8Array => encodeInsns(assemble(`r2 = ${ifindex}\nr3 = 1\ncall bpf_clone_redirect\nexit`).insns);

test('a copy is sent to a device that is there, and refused for one that is not', () => {
  const sent: SentPacket[] = [];
  const kernel = new SimKernel({ onTransmit: (packet) => sent.push(packet) });
  const packet = Uint8Array.from({ length: 60 }, (_, i) => i);
  const run = (ifindex: number): number => {
    const { fd } = kernel.progLoad({ prog_type: BPF_PROG_TYPE_SCHED_CLS, insns: program(ifindex), license: 'GPL' });
    return kernel.progTestRun({ prog_fd: fd, data_in: packet }).retval | 0;
  };
  expect(run(1)).toBe(0);
  expect(sent).toEqual([{ ifindex: 1, ingress: true, data: packet }]);
  expect(run(99)).toBe(-22);
  expect(sent.length).toBe(1);
});
