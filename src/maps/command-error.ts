// Errors of map commands.
// Invariant: every refusal of a bpf() command on a map is a BpfSyscallError with the command's uapi name and the kernel's errno.

import { errnoName, strerror } from '../spec/errno.ts';
import { BpfSyscallError } from '../util/errors.ts';

/** A failed command. `errno` is positive. */
export const commandError = (command: string, errno: number): BpfSyscallError =>
  new BpfSyscallError(command, errno, `${errnoName(errno)} (${strerror(errno)})`);
