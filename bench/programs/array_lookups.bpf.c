// SPDX-License-Identifier: Apache-2.0
// Eight look-ups in an array of a thousand values.
#include "bench.h"

#define VALUES 1024

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VALUES);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

SEC("xdp")
int array_lookup_8(struct xdp_md *ctx)
{
	__u32 n = seq++;
	__u64 found = 0;

#pragma unroll
	for (int i = 0; i < 8; i++) {
		__u32 key = (n + 131 * i) & (VALUES - 1);
		__u64 *value = bpf_map_lookup_elem(&values, &key);

		if (value)
			found += *value;
	}
	sum += found;
	return XDP_PASS;
}
