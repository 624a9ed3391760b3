// Where bpfkit's answer is not the recorded kernel's, and why. A case that stands here and agrees makes the test fail.

const TRACING = 'raw tracepoint programs are not verified yet';

/** Generated programs by seed. */
export const PROGRAM_DIFFERENCES: Readonly<Record<number, string>> = {
  303: 'loads through a pointer to a map need the kernel\'s BTF, which the simulated kernel has none of yet',
  554: 'helper bpf_get_branch_snapshot is not there yet',
  1966: 'dynptrs are not there yet',
};

/** Programs of objects by `path program`. */
export const OBJECT_DIFFERENCES: Readonly<Record<string, string>> = {
  'tests/objects/core-fields.bpf.o fields': TRACING,
  'tests/objects/core-fields.clang14.bpf.o fields': TRACING,
  'tests/objects/core-fields.clang16.bpf.o fields': TRACING,
  'tests/objects/core-kernel.bpf.o on_switch': TRACING,
  'tests/objects/core-types.bpf.o types': TRACING,
  'tests/objects/core-types.clang16.bpf.o types': TRACING,
};
