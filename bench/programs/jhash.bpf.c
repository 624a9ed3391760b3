// SPDX-License-Identifier: Apache-2.0
// Bob Jenkins' lookup3 (public domain) over the 1,500 bytes behind the Ethernet header.
#include "bench.h"

#define BYTES 1500

SEC("xdp")
int jhash_1500(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	__u32 *word = data + sizeof(struct ethhdr);

	if ((void *)word + BYTES > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	__u32 a = 0xdeadbeef + BYTES + seq++, b = a, c = a;
	for (int i = 0; i < BYTES / 12; i++) {
		a += word[3 * i];
		b += word[3 * i + 1];
		c += word[3 * i + 2];
		a -= c; a ^= rotate32(c, 4); c += b;
		b -= a; b ^= rotate32(a, 6); a += c;
		c -= b; c ^= rotate32(b, 8); b += a;
		a -= c; a ^= rotate32(c, 16); c += b;
		b -= a; b ^= rotate32(a, 19); a += c;
		c -= b; c ^= rotate32(b, 4); b += a;
	}
	c ^= b; c -= rotate32(b, 14);
	a ^= c; a -= rotate32(c, 11);
	b ^= a; b -= rotate32(a, 25);
	c ^= b; c -= rotate32(b, 16);
	sum += c;
	return XDP_PASS;
}
