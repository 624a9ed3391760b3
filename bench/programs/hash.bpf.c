// SPDX-License-Identifier: Apache-2.0
// A hash: eight look-ups among 8,192 elements; an element put in and taken out again.
#include "bench.h"

#define KEYS 8192

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * KEYS);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

SEC("xdp")
int hash_lookup_8(struct xdp_md *ctx)
{
	__u32 n = seq++;
	__u64 found = 0;

#pragma unroll
	for (int i = 0; i < 8; i++) {
		__u32 key = scatter(n + i, KEYS - 1);
		__u64 *value = bpf_map_lookup_elem(&table, &key);

		if (value)
			found += *value;
	}
	sum += found;
	return XDP_PASS;
}

SEC("xdp")
int hash_insert_delete(struct xdp_md *ctx)
{
	__u64 value = seq;
	__u32 key = KEYS + scatter(seq++, KEYS - 1);

	if (bpf_map_update_elem(&table, &key, &value, BPF_NOEXIST))
		return XDP_ABORTED;
	return bpf_map_delete_elem(&table, &key) ? XDP_ABORTED : XDP_PASS;
}
