// Printing helpers: bpf_trace_printk, bpf_trace_vprintk, bpf_snprintf.
// Invariant: the result counts the whole text even where the buffer cuts it, as snprintf does.
// Source: kernel/trace/bpf_trace.c, kernel/bpf/helpers.c.

import { EINVAL } from '../spec/errno.ts';
import { MAX_BPRINTF_BUF, MAX_BPRINTF_VARARGS } from '../spec/limits.ts';
import type { HelperHost } from '../vm/host.ts';
import { bprintf } from './bprintf.ts';
import { helper } from './define.ts';

const ARG_BYTES = 8;

/** The arguments in an array of u64, or -EINVAL for a length that is none. */
function argsAt(host: HelperHost, data: number, dataLen: number): bigint[] | number {
  if (dataLen % ARG_BYTES !== 0 || dataLen > MAX_BPRINTF_VARARGS * ARG_BYTES || (dataLen > 0 && data === 0)) return -EINVAL;
  return Array.from({ length: dataLen / ARG_BYTES }, (_, i) => host.memory.view.getBigUint64(data + i * ARG_BYTES, true));
}

/** Formats one line and sends it to the trace pipe; the text's length or a negative errno. */
function trace(host: HelperHost, fmt: number, fmtSize: number, args: readonly bigint[]): number {
  const text = bprintf(host, host.memory.bytes.slice(fmt, fmt + fmtSize), args);
  if (typeof text === 'number') return text;
  host.printk(new TextDecoder().decode(text.slice(0, MAX_BPRINTF_BUF - 1)));
  return text.length;
}

export const tracePrintk = helper('bpf_trace_printk', ['ptr', 'u32', 'u64', 'u64', 'u64'], 's32', (host, fmt, fmtSize, a1, a2, a3) =>
  trace(host, fmt, fmtSize, [a1, a2, a3]));

export const traceVprintk = helper('bpf_trace_vprintk', ['ptr', 'u32', 'ptr', 'u32'], 's32', (host, fmt, fmtSize, data, dataLen) => {
  const args = argsAt(host, data, dataLen);
  return typeof args === 'number' ? args : trace(host, fmt, fmtSize, args);
});

/** The bytes at `fmt` up to and with the NUL that the verifier saw there. */
function constString(host: HelperHost, fmt: number): Uint8Array {
  const { bytes } = host.memory;
  return bytes.slice(fmt, bytes.indexOf(0, fmt) + 1);
}

export const snprintf = helper('bpf_snprintf', ['ptr', 'u32', 'ptr', 'ptr', 'u32'], 's32', (host, str, strSize, fmt, data, dataLen) => {
  const args = argsAt(host, data, dataLen);
  if (typeof args === 'number') return args;
  const text = bprintf(host, constString(host, fmt), args);
  if (typeof text === 'number') return text;
  if (strSize > 0) {
    const kept = text.subarray(0, strSize - 1);
    host.memory.bytes.set(kept, str);
    host.memory.bytes[str + kept.length] = 0;
  }
  return text.length + 1;
});
