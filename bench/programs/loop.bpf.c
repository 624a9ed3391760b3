// SPDX-License-Identifier: Apache-2.0
// bpf_loop with a hundred iterations of a small callback.
#include "bench.h"

static int step(__u32 index, void *state)
{
	__u64 *total = state;

	*total = (*total ^ index) * 31;
	return 0;
}

SEC("xdp")
int bpf_loop_100(struct xdp_md *ctx)
{
	__u64 total = seq++;

	bpf_loop(100, step, &total, 0);
	sum += total;
	return XDP_PASS;
}
