// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 (Aumasson and Bernstein) over the 1,500 bytes behind the Ethernet header.
#include "bench.h"

#define BYTES 1500

#define ROUND                                             \
	do {                                              \
		v0 += v1; v1 = rotate64(v1, 13) ^ v0; v0 = rotate64(v0, 32); \
		v2 += v3; v3 = rotate64(v3, 16) ^ v2;     \
		v0 += v3; v3 = rotate64(v3, 21) ^ v0;     \
		v2 += v1; v1 = rotate64(v1, 17) ^ v2; v2 = rotate64(v2, 32); \
	} while (0)

SEC("xdp")
int siphash_1500(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	__u64 *word = data + sizeof(struct ethhdr);

	if ((void *)word + BYTES > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	__u64 k0 = 0x0706050403020100, k1 = 0x0f0e0d0c0b0a0908 + seq++;
	__u64 v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d;
	__u64 v2 = k0 ^ 0x6c7967656e657261, v3 = k1 ^ 0x7465646279746573;
	for (int i = 0; i < BYTES / 8; i++) {
		__u64 m = word[i];

		v3 ^= m;
		ROUND;
		ROUND;
		v0 ^= m;
	}
	__u64 last = ((__u64)BYTES << 56) | *(__u32 *)(word + BYTES / 8);
	v3 ^= last;
	ROUND;
	ROUND;
	v0 ^= last;
	v2 ^= 0xff;
	ROUND;
	ROUND;
	ROUND;
	ROUND;
	sum += v0 ^ v1 ^ v2 ^ v3;
	return XDP_PASS;
}
