// Which part of the tree may import which: design's layers, bottom to top. tools/layers.ts checks every import against it.
// Invariant: a folder that isn't here may not exist under src/; a folder may always import from itself.

/** Folders of src/ and the folders of src/ that each may import from. */
export const SRC_LAYERS: Readonly<Record<string, readonly string[]>> = {
  util: [],
  spec: ['util'],
  insn: ['spec', 'util'],
  btf: ['spec', 'util'],
  formats: ['util'],
  elf: ['util'],
  wasm: ['util'],
  asm: ['spec', 'util', 'insn'],
  cbpf: ['spec', 'util', 'insn'],
  vm: ['spec', 'util', 'insn'],
  verifier: ['spec', 'util', 'insn', 'btf'],
  maps: ['spec', 'util', 'vm', 'wasm'],
  helpers: ['spec', 'util', 'vm', 'wasm', 'maps'],
  interp: ['spec', 'util', 'insn', 'vm'],
  jit: ['spec', 'util', 'insn', 'vm', 'wasm', 'maps'],
  kernel: ['spec', 'util', 'insn', 'btf', 'formats', 'elf', 'wasm', 'cbpf', 'vm', 'verifier', 'maps', 'helpers', 'interp', 'jit'],
  loader: ['spec', 'util', 'insn', 'btf', 'elf'],
  // What index.ts exports beyond the parts themselves: it joins loader, kernel and formats, and nothing below imports it.
  api: ['spec', 'util', 'insn', 'btf', 'formats', 'elf', 'wasm', 'asm', 'cbpf', 'vm', 'verifier', 'maps', 'helpers', 'interp', 'jit', 'kernel', 'loader'],
};

/** Folders whose imports are types alone: vm sees of insn only what a program is. */
export const TYPES_ONLY: readonly (readonly [from: string, to: string])[] = [['vm', 'insn']];

/** The rims. Each may import from itself, from packages and from what stands here; `dynamic` only by import(). */
export const RIMS: Readonly<Record<string, { readonly static: readonly string[]; readonly dynamic: readonly string[] }>> = {
  // The error classes come directly, so that help and wrong options are answered without loading the core.
  cli: { static: ['src/index.ts', 'src/util/errors.ts', 'bench/'], dynamic: ['linux/'] },
  // Measures the parts themselves; which kernel is below comes from the caller.
  bench: { static: ['src/'], dynamic: [] },
  web: { static: ['src/index.ts'], dynamic: [] },
  linux: { static: ['src/spec/', 'src/util/', 'src/insn/'], dynamic: [] },
};

/** Packages that one folder alone may import. */
export const OWNED_PACKAGES: Readonly<Record<string, string>> = { koffi: 'linux/' };

/** Who may make a VerifiedProgram (invariant I3). Tests may too. */
export const MINT = { symbol: 'mintVerifiedProgram', allowed: ['src/verifier/', 'src/vm/raw-program.ts', 'src/insn/verified-program.ts'] } as const;
