// SPDX-License-Identifier: Apache-2.0
// Counts packets and bytes per flow in a hash, with atomic adds: all packets of one flow, or of 8,192.
#include "bench.h"

#define FLOWS 8192

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * FLOWS);
	__type(key, struct tuple);
	__type(value, struct counter);
} flows SEC(".maps");

static __always_inline int track(struct xdp_md *ctx, struct packet *p)
{
	struct tuple t;

	tuple_of(p, &t);
	__u64 bytes = ctx->data_end - ctx->data;
	struct counter *counter = bpf_map_lookup_elem(&flows, &t);
	if (counter) {
		__sync_fetch_and_add(&counter->packets, 1);
		__sync_fetch_and_add(&counter->bytes, bytes);
	} else {
		struct counter first = { 1, bytes };

		bpf_map_update_elem(&flows, &t, &first, BPF_NOEXIST);
	}
	return XDP_PASS;
}

SEC("xdp")
int flow_1(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);

	return p ? track(ctx, p) : XDP_ABORTED;
}

SEC("xdp")
int flow_8k(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);

	if (!p)
		return XDP_ABORTED;
	p->ip.saddr = bpf_htonl(0x0a000000 | scatter(seq++, FLOWS - 1));
	return track(ctx, p);
}
