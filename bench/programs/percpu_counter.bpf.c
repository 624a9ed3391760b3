// SPDX-License-Identifier: Apache-2.0
// Counts packets and bytes in a per-CPU array.
#include "bench.h"

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

SEC("xdp")
int percpu_counter(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter)
		return XDP_ABORTED;
	counter->packets++;
	counter->bytes += ctx->data_end - ctx->data;
	return XDP_PASS;
}
