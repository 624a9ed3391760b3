// SPDX-License-Identifier: Apache-2.0
// 256 bytes: copied out of the packet, compared by words, compared as text.
#include "bench.h"

#define BYTES 256

__u64 copied[BYTES / 8];
__u64 left[BYTES / 8];
__u64 right[BYTES / 8];
char text[BYTES];
char same_text[BYTES];

SEC("xdp")
int memcpy_256(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	const __u64 *from = data + sizeof(struct ethhdr);

	if ((void *)from + BYTES > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < BYTES / 8; i++)
		copied[i] = from[i];
	seq++;
	return XDP_PASS;
}

SEC("xdp")
int memcmp_256(struct xdp_md *ctx)
{
	seq++;
#pragma unroll
	for (int i = 0; i < BYTES / 8; i++)
		if (left[i] != right[i])
			return XDP_DROP;
	return XDP_PASS;
}

SEC("xdp")
int strcmp_256(struct xdp_md *ctx)
{
	seq++;
	for (int i = 0; i < BYTES; i++) {
		if (text[i] != same_text[i])
			return XDP_DROP;
		if (text[i] == 0)
			break;
	}
	return XDP_PASS;
}
