// errno numbers that the kernel gives back, x86-64. Source: uapi/asm-generic/errno-base.h, errno.h.
export const ENOMEM = 12;
