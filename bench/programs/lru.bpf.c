// SPDX-License-Identifier: Apache-2.0
// An LRU hash: keys that are always there, and keys that never are, so that each run evicts an element.
#include "bench.h"

#define KEYS 1024

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4 * KEYS);
	__type(key, __u32);
	__type(value, __u64);
} recent SEC(".maps");

SEC("xdp")
int lru_hit(struct xdp_md *ctx)
{
	__u32 key = scatter(seq++, KEYS - 1);
	__u64 *count = bpf_map_lookup_elem(&recent, &key);

	if (!count)
		return XDP_ABORTED;
	(*count)++;
	return XDP_PASS;
}

SEC("xdp")
int lru_churn(struct xdp_md *ctx)
{
	__u32 key = scatter(seq++, 0xffffffff);
	__u64 *count = bpf_map_lookup_elem(&recent, &key);
	__u64 one = 1;

	if (count) {
		(*count)++;
		return XDP_DROP;
	}
	return bpf_map_update_elem(&recent, &key, &one, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
}
