// SPDX-License-Identifier: Apache-2.0
// The logarithms of 64 numbers by halving, as latency histograms take them: comparisons and shifts, hard to predict.
#include "bench.h"

static __always_inline __u32 log2_of(__u32 v)
{
	__u32 r, shift;

	r = (v > 0xffff) << 4; v >>= r;
	shift = (v > 0xff) << 3; v >>= shift; r |= shift;
	shift = (v > 0xf) << 2; v >>= shift; r |= shift;
	shift = (v > 0x3) << 1; v >>= shift; r |= shift;
	return r | (v >> 1);
}

SEC("xdp")
int log2_64(struct xdp_md *ctx)
{
	__u32 x = seq++, total = 0;

	for (int i = 0; i < 64; i++) {
		x = x * 1664525 + 1013904223;
		total += log2_of(x >> (x & 31));
	}
	sum += total;
	return XDP_PASS;
}
