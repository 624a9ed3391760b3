// The target kernel's types, from whatever holds them: raw BTF (/sys/kernel/btf/vmlinux) or an ELF file with a .BTF section (vmlinux, an object file).
// Invariant: pure; the bytes alone decide which of the two it is.
// Source: libbpf btf__parse.

import { parseBtf, type Btf } from '../btf/btf.ts';
import { parseElf } from '../elf/elf.ts';
import { ElfError } from '../util/errors.ts';

/** The kernel's BTF: bytes, opened, or a function that finds it when a program needs it (undefined: there is none). */
export type KernelBtf = Btf | Uint8Array | (() => Btf | Uint8Array | undefined);

const isElf = (bytes: Uint8Array): boolean => bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/** Opens it; undefined where there is none. Throws BtfError, and ElfError for an ELF file without types. */
export function openKernelBtf(source: KernelBtf | undefined): Btf | undefined {
  const found = typeof source === 'function' ? source() : source;
  return found instanceof Uint8Array ? parseBtf(isElf(found) ? btfSection(found) : found, 'vmlinux') : found;
}

function btfSection(bytes: Uint8Array): Uint8Array {
  const section = parseElf(bytes).sections.find((s) => s.name === '.BTF');
  if (section === undefined) throw new ElfError('no .BTF section in the file that should have the kernel\'s types', '', 0);
  return section.data;
}
