// bpfkit's public API: open an object, load it, run it; and the pieces for those who build tools on them.
// The only barrel; nothing inside src/ imports it.

export { openObject as open, type OpenOptions } from './loader/open.ts';
export { findMap, findProgram, type MapSpec, type ObjectSpec, type ProgramSpec, type VariableSpec } from './loader/object-spec.ts';
export { BpfObject, load, type BpfEvent, type BpfObjectOptions, type RunResult } from './api/bpf-object.ts';
export { TypedMap, type MapEntry, type MapInput } from './api/typed-map.ts';
export { PacketRunner, type PacketResult, type RunnerOptions } from './api/packet-runner.ts';
export { showPrefix, showValue, zeroJson } from './api/show-value.ts';
export { etherFrame } from './api/ether-frame.ts';
export { linkTypeName } from './spec/link-types.ts';
export { SimKernel, type SimKernelOptions } from './kernel/sim-kernel.ts';
export type { SentPacket } from './kernel/sim-host.ts';
export type { NetDevice, Route } from './kernel/net.ts';
export { loadObject, ObjectLoader, type LoadedMap, type LoadedObject, type LoadedProgram, type LoadOptions } from './loader/load.ts';
export type { KernelBtf } from './loader/kernel-btf.ts';
export { decodeValue, toJson, type BtfValue } from './loader/btf-values.ts';
export { encodeValue } from './loader/encode-value.ts';
export { parseBtf, type Btf } from './btf/btf.ts';
export { verifyProgram } from './verifier/verify.ts';
export type { Capabilities, VerifierMap, VerifierOptions, VerifierStats, VerifyResult } from './verifier/api.ts';
export { CaptureReader, readCapture } from './formats/capture-reader.ts';
export type { CapturedPacket } from './formats/packet-batch.ts';
export { PcapWriter } from './formats/pcap-writer.ts';
export { assemble, type AsmOptions, type AsmProgram } from './asm/assemble.ts';
export { disasmProgram, disasmText, type DisasmOptions } from './insn/disasm.ts';
export { decodeInsns } from './insn/decode.ts';
export { encodeInsns } from './insn/encode.ts';
export type { Insn, Program } from './insn/insn.ts';
export { RawMachine, runRaw, type RawOptions, type RawResult } from './vm/raw-program.ts';
export { executors } from './api/executors.ts';
export { parseCaps } from './spec/profile.ts';
export { parseVersion as parseKernelVersion } from './spec/versions.ts';
export { PROG_TYPES } from './spec/prog-types.ts';
export { errnoName } from './spec/errno.ts';
export type * from './spec/syscall.ts';
export * from './util/errors.ts';
export { fromHex, toHex } from './util/bytes.ts';
