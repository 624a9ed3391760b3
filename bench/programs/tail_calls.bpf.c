// SPDX-License-Identifier: Apache-2.0
// A chain of four tail calls.
#include "bench.h"

int step_1(struct xdp_md *ctx);
int step_2(struct xdp_md *ctx);
int step_3(struct xdp_md *ctx);
int step_4(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} steps SEC(".maps") = { .values = { (void *)&step_1, (void *)&step_2, (void *)&step_3, (void *)&step_4 } };

#define STEP(name, index)                          \
	SEC("xdp")                                 \
	int name(struct xdp_md *ctx)               \
	{                                          \
		bpf_tail_call(ctx, &steps, index); \
		return XDP_ABORTED;                \
	}

STEP(tail_calls_4, 0)
STEP(step_1, 1)
STEP(step_2, 2)
STEP(step_3, 3)

SEC("xdp")
int step_4(struct xdp_md *ctx)
{
	seq++;
	return XDP_PASS;
}
