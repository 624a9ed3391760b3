// SPDX-License-Identifier: Apache-2.0
// Source NAT: finds the flow's translation in a hash, rewrites address and port, and mends both checksums (RFC 1624).
#include "bench.h"

#define FLOWS 1024

struct inside {
	__be32 addr;
	__u32 port; // in network order
};

struct outside {
	__be32 addr;
	__be16 port;
	__u16 pad;
	__u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * FLOWS);
	__type(key, struct inside);
	__type(value, struct outside);
} translations SEC(".maps");

static __always_inline __u16 fold(__u32 total)
{
	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	return ~total;
}

SEC("xdp")
int nat(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);

	if (!p)
		return XDP_ABORTED;
	__u32 n = scatter(seq++, FLOWS - 1);
	p->ip.saddr = bpf_htonl(0x0a000000 | n);
	p->udp.source = bpf_htons(1024 + n);

	struct inside from = { p->ip.saddr, p->udp.source };
	struct outside *to = bpf_map_lookup_elem(&translations, &from);
	if (!to)
		return XDP_DROP;
	to->packets++;

	__u32 delta = (~from.addr & 0xffff) + (~from.addr >> 16) + (to->addr & 0xffff) + (to->addr >> 16);
	__u32 ports = (~from.port & 0xffff) + to->port;
	p->ip.check = fold((__u16)~p->ip.check + delta);
	if (p->udp.check)
		p->udp.check = fold((__u16)~p->udp.check + delta + ports);
	p->ip.saddr = to->addr;
	p->udp.source = to->port;
	return XDP_TX;
}
