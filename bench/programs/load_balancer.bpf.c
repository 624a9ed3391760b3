// SPDX-License-Identifier: Apache-2.0
// An L4 load balancer: service in a hash, backend through a ring of hashed slots, per-CPU counters, IP-in-IP encapsulation.
// It takes its tunnel header off again at the end, as a test run doesn't restore the packet and its head room would soon be used up.
#include "bench.h"

#define RING 4096
#define BACKENDS 64

struct service {
	__be32 addr;
	__u32 port; // in network order
};

struct backend {
	__be32 addr;
	__u8 mac[6];
	__u16 pad;
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct service);
	__type(value, __u32);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING);
	__type(key, __u32);
	__type(value, __u32);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BACKENDS);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BACKENDS);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

static __always_inline __u16 header_checksum(const struct iphdr *ip)
{
	const __u16 *word = (const void *)ip;
	__u32 total = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		total += word[i];
	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	return ~total;
}

static __always_inline int encapsulate(struct xdp_md *ctx, const struct backend *to, __u16 inner_bytes)
{
	struct ethhdr old, *eth;
	struct iphdr *outer;
	void *data = (void *)(long)ctx->data;

	if (data + sizeof(old) > (void *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(&old, data, sizeof(old));
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*outer)))
		return -1;
	eth = (void *)(long)ctx->data;
	outer = (void *)(eth + 1);
	if ((void *)(outer + 1) > (void *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(eth->h_source, old.h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, to->mac, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);
	outer->version = 4;
	outer->ihl = 5;
	outer->tos = 0;
	outer->tot_len = bpf_htons(inner_bytes + sizeof(*outer));
	outer->id = 0;
	outer->frag_off = 0;
	outer->ttl = 64;
	outer->protocol = IPPROTO_IPIP;
	outer->check = 0;
	outer->saddr = bpf_htonl(0x0a010002);
	outer->daddr = to->addr;
	outer->check = header_checksum(outer);
	sum += outer->check;

	if (bpf_xdp_adjust_head(ctx, sizeof(*outer)))
		return -1;
	data = (void *)(long)ctx->data;
	if (data + sizeof(old) > (void *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(data, &old, sizeof(old));
	return 0;
}

SEC("xdp")
int load_balancer(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);

	if (!p)
		return XDP_ABORTED;
	p->ip.saddr = mix32(seq++);
	struct service vip = { p->ip.daddr, p->udp.dest };
	__u32 *salt = bpf_map_lookup_elem(&services, &vip);
	if (!salt)
		return XDP_PASS;
	__u32 slot = mix32(p->ip.saddr ^ rotate32(p->udp.source, 16) ^ *salt) & (RING - 1);
	__u32 *number = bpf_map_lookup_elem(&ring, &slot);
	if (!number)
		return XDP_DROP;
	__u32 chosen = *number;
	struct backend *to = bpf_map_lookup_elem(&backends, &chosen);
	struct counter *counter = bpf_map_lookup_elem(&counters, &chosen);
	if (!to || !counter)
		return XDP_DROP;
	counter->packets++;
	counter->bytes += ctx->data_end - ctx->data;
	return encapsulate(ctx, to, bpf_ntohs(p->ip.tot_len)) ? XDP_ABORTED : XDP_TX;
}
