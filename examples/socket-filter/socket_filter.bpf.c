// SPDX-License-Identifier: Apache-2.0
// A socket filter: keeps DNS queries (cut to their first 128 bytes) and the start of TCP connections, drops the rest.
// Reads the packet in the classic way, with load_byte and load_half (BPF_LD_ABS), as tcpdump's own filters do.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) asm("llvm.bpf.load.half");

#define IP_OFFSET ETH_HLEN
#define KEEP_ALL 0xffffffff
#define TCP_SYN 0x02

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} by_protocol SEC(".maps");

SEC("socket")
int socket_filter(struct __sk_buff *skb)
{
	if (load_half(skb, 12) != ETH_P_IP)
		return 0;

	__u32 protocol = load_byte(skb, IP_OFFSET + 9);
	__u64 *seen = bpf_map_lookup_elem(&by_protocol, &protocol);
	if (seen)
		__sync_fetch_and_add(seen, 1);

	__u32 transport = IP_OFFSET + (load_byte(skb, IP_OFFSET) & 0xf) * 4;
	if (protocol == IPPROTO_UDP)
		return load_half(skb, transport + 2) == 53 ? 128 : 0;
	if (protocol == IPPROTO_TCP)
		return load_byte(skb, transport + 13) & TCP_SYN ? KEEP_ALL : 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
