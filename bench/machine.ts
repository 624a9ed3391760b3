// The machine that figures are from: processor, runtime, kernel, mitigations, what else it was doing.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, type } from 'node:os';
import { join } from 'node:path';

const VULNERABILITIES = '/sys/devices/system/cpu/vulnerabilities';

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return fallback;
  }
}

/** Each vulnerability that the processor has, and what the kernel does about it. */
function mitigations(): string {
  try {
    const lines = readdirSync(VULNERABILITIES).sort().map((name) => [name, readOr(join(VULNERABILITIES, name), '')] as const);
    return lines.filter(([, text]) => !text.startsWith('Not affected')).map(([name, text]) => `${name}: ${text}`).join(' | ') || 'none needed';
  } catch {
    return 'unknown';
  }
}

/** Lines that describe the machine, for people. */
export function machineLines(host: boolean): string[] {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const jit = `bpf_jit_enable ${readOr('/proc/sys/net/core/bpf_jit_enable', '?')}, bpf_jit_harden ${readOr('/proc/sys/net/core/bpf_jit_harden', '?')}`;
  return [
    `${model}, ${availableParallelism()} CPUs (${arch()}); load ${loadavg()[0]?.toFixed(1)}; Node ${process.versions.node} (V8 ${process.versions.v8}); ${type()} ${release()}`,
    ...(host ? [`kernel: ${jit}; mitigations ${mitigations()}`] : []),
  ];
}

/** Binds this process's main thread to the last CPU, so that its caches stay warm; false where that can't be done. */
export function pinMainThread(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('taskset', ['-p', '-c', String(availableParallelism() - 1), String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
