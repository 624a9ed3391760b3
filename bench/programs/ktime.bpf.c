// SPDX-License-Identifier: Apache-2.0
// Reads the clock.
#include "bench.h"

__u64 last;

SEC("xdp")
int ktime(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns();

	seq++;
	if (now < last)
		return XDP_ABORTED;
	last = now;
	return XDP_PASS;
}
