// SPDX-License-Identifier: Apache-2.0
// The primes below 512, by crossing out.
#include "bench.h"

#define LIMIT 512

__u8 crossed[LIMIT];

SEC("xdp")
int sieve(struct xdp_md *ctx)
{
	__u32 primes = 0;

	for (int i = 0; i < LIMIT; i++)
		crossed[i] = 0;
	for (int i = 2; i < LIMIT; i++) {
		if (crossed[i])
			continue;
		primes++;
		for (int j = 2 * i; j < LIMIT; j += i)
			crossed[j] = 1;
	}
	seq++;
	sum += primes;
	return XDP_PASS;
}
