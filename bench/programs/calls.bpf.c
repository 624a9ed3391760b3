// SPDX-License-Identifier: Apache-2.0
// Four calls of functions of the same program.
#include "bench.h"

static __noinline __u64 add(__u64 a, __u64 b)
{
	return a + b + 1;
}

static __noinline __u64 fold(__u64 a, __u64 b)
{
	return (a ^ b) * 0x9e3779b97f4a7c15;
}

SEC("xdp")
int bpf_calls_4(struct xdp_md *ctx)
{
	__u64 x = seq++;

	x = add(x, 3);
	x = fold(x, seq);
	x = add(x, 7);
	x = fold(x, x >> 32);
	sum += x;
	return XDP_PASS;
}
