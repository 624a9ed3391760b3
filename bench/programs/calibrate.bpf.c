// SPDX-License-Identifier: Apache-2.0
// Sixteen calls of a function that does nothing: what is over `drop`, divided by sixteen, is the cost of an empty program's call and return.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __noinline int nothing(void)
{
	asm volatile("");
	return 0;
}

SEC("xdp")
int calibrate(struct xdp_md *ctx)
{
#pragma unroll
	for (int i = 0; i < 16; i++)
		nothing();
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
