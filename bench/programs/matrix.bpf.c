// SPDX-License-Identifier: Apache-2.0
// The product of two 12×12 matrices of 32-bit numbers.
#include "bench.h"

#define N 12

__u32 first[N][N];
__u32 second[N][N];
__u32 product[N][N];

SEC("xdp")
int matrix_12(struct xdp_md *ctx)
{
	first[0][0] = seq++;
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			__u32 total = 0;

#pragma unroll
			for (int k = 0; k < N; k++)
				total += first[i][k] * second[k][j];
			product[i][j] = total;
		}
	}
	sum += product[0][N - 1] + product[N - 1][0];
	return XDP_PASS;
}
