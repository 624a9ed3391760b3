// The real kernel, for Node on Linux. Imported dynamically by the CLI's --host and by tests; nothing in src/ knows it.
export { LinuxKernel, openLinuxKernel } from './kernel.ts';
