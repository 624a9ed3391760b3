// func_info and line_info as BPF_PROG_LOAD takes them.
// Source: uapi/linux/bpf.h struct bpf_func_info (8 bytes), struct bpf_line_info (16 bytes); offsets in slots.

import type { FuncInfo, LineInfo } from '../insn/insn.ts';

function pack(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}

/** Records of 8 bytes: slot, type id. */
export const packFuncInfo = (infos: readonly FuncInfo[]): Uint8Array => pack(infos.flatMap((f) => [f.insnOff, f.typeId]));

/** Records of 16 bytes: slot, file name, line text, line and column. */
export const packLineInfo = (infos: readonly LineInfo[]): Uint8Array =>
  pack(infos.flatMap((l) => [l.insnOff, l.fileNameOff, l.lineOff, ((l.line << 10) | (l.column & 0x3ff)) >>> 0]));
