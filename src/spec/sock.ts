// Socket structures that programs reach from their context: struct bpf_sock, bpf_tcp_sock, bpf_xdp_sock, and which reads of them are allowed.
// Source: uapi/linux/bpf.h; net/core/filter.c bpf_sock_is_valid_access and its kin, Linux 6.18. All fields are read-only.

/** Byte offsets and sizes in struct bpf_sock. */
export const BPF_SOCK = {
  bound_dev_if: 0, family: 4, type: 8, protocol: 12, mark: 16, priority: 20, src_ip4: 24, src_ip6: 28, src_port: 44,
  /** u16, then two bytes of padding */
  dst_port: 48, dst_ip4: 52, dst_ip6: 56, state: 72, rx_queue_mapping: 76, sizeBytes: 80,
} as const;

/** Byte offsets in struct bpf_tcp_sock; all fields are u32 but bytes_received and bytes_acked. */
export const BPF_TCP_SOCK = { bytes_received: 80, bytes_acked: 88, sizeBytes: 112 } as const;

const NARROW_STARTS: ReadonlySet<number> = new Set([
  BPF_SOCK.state, BPF_SOCK.family, BPF_SOCK.type, BPF_SOCK.protocol, BPF_SOCK.src_port, BPF_SOCK.rx_queue_mapping,
]);
const isAddress = (offset: number): boolean =>
  (offset >= BPF_SOCK.src_ip4 && offset < BPF_SOCK.src_port) || (offset >= BPF_SOCK.dst_ip4 && offset < BPF_SOCK.state);

/** Whether a full socket may be read at this offset and size in bytes (1, 2, 4 or 8). */
export function sockAccessOk(offset: number, size: number): boolean {
  if (offset < 0 || offset >= BPF_SOCK.sizeBytes || offset % size !== 0) return false;
  if (NARROW_STARTS.has(offset) || isAddress(offset)) return size <= 4;
  if (offset === BPF_SOCK.dst_port || offset === BPF_SOCK.dst_port + 1) return size === 4 || size <= 2;
  if (offset >= BPF_SOCK.dst_port + 2 && offset < BPF_SOCK.dst_ip4) return false;
  return size === 4;
}

/** The same for a socket that may be a request or time-wait one: type to priority are not there. */
export const sockCommonAccessOk = (offset: number, size: number): boolean =>
  !(offset >= BPF_SOCK.type && offset < BPF_SOCK.src_ip4) && sockAccessOk(offset, size);

/** The same for struct bpf_tcp_sock. */
export function tcpSockAccessOk(offset: number, size: number): boolean {
  if (offset < 0 || offset >= BPF_TCP_SOCK.sizeBytes || offset % size !== 0) return false;
  return size === (offset === BPF_TCP_SOCK.bytes_received || offset === BPF_TCP_SOCK.bytes_acked ? 8 : 4);
}

/** The same for struct bpf_xdp_sock, whose only field is queue_id. */
export const xdpSockAccessOk = (offset: number, size: number): boolean => offset === 0 && size === 4;
