// Helpers about the CPU and the task that the program runs on.
// Invariant: they read the CPU's cells, which whoever runs the program fills in.
// Source: kernel/bpf/helpers.c.

import { CPU } from '../vm/cpu-area.ts';
import { helper } from './define.ts';

/** TASK_COMM_LEN: bytes of a task's name with its NUL. */
const TASK_COMM_LEN = 16;

export const getSmpProcessorId = helper('bpf_get_smp_processor_id', [], 'u32', (host) =>
  host.memory.view.getUint32(host.cpuArea() + CPU.id, true));

export const getNumaNodeId = helper('bpf_get_numa_node_id', [], 'u32', (host) =>
  host.memory.view.getUint32(host.cpuArea() + CPU.numaNode, true));

export const getCurrentPidTgid = helper('bpf_get_current_pid_tgid', [], 'u64', (host) =>
  host.memory.view.getBigUint64(host.cpuArea() + CPU.pidTgid, true));

export const getCurrentUidGid = helper('bpf_get_current_uid_gid', [], 'u64', (host) =>
  host.memory.view.getBigUint64(host.cpuArea() + CPU.uidGid, true));

/** Copies the name with its NUL and pads the rest of the buffer with zeros. */
export const getCurrentComm = helper('bpf_get_current_comm', ['ptr', 'u32'], 's32', (host, buf, size) => {
  const { bytes } = host.memory;
  const name = host.cpuArea() + CPU.comm;
  const room = Math.min(size - 1, TASK_COMM_LEN - 1);
  let length = 0;
  while (length < room && bytes[name + length] !== 0) length++;
  bytes.copyWithin(buf, name, name + length);
  bytes.fill(0, buf + length, buf + size);
  return 0;
});
