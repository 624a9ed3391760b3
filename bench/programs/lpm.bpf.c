// SPDX-License-Identifier: Apache-2.0
// Longest prefix among ten thousand routes, for addresses all over the place.
#include "bench.h"

struct prefix {
	__u32 length;
	__u8 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");

SEC("xdp")
int lpm_10k(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);
	struct prefix key = { .length = 32 };

	if (!p)
		return XDP_ABORTED;
	p->ip.daddr = mix32(seq++);
	__builtin_memcpy(key.addr, &p->ip.daddr, 4);
	__u32 *hop = bpf_map_lookup_elem(&routes, &key);
	if (!hop)
		return XDP_DROP;
	sum += *hop;
	return XDP_PASS;
}
