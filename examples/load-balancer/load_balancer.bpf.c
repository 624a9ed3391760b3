// SPDX-License-Identifier: Apache-2.0
// An L4 load balancer: picks a backend for a flow from a consistent-hashing ring and sends the packet on in an IP-in-IP tunnel.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RING_SIZE 251 // slots per virtual service, a prime

struct service {
	__be32 addr;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};

struct service_info {
	__u32 ring_start; // index of its first slot in `ring`
	__u32 flags;
};

struct backend {
	__be32 addr;
	__u8 mac[6];
	__u16 pad;
};

struct stats {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct service);
	__type(value, struct service_info);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 512 * RING_SIZE);
	__type(key, __u32);
	__type(value, __u32);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct stats);
} backend_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} connections SEC(".maps");

volatile const __be32 tunnel_source = bpf_htonl(0x0a010002);

static __always_inline __u32 rotate(__u32 word, int bits)
{
	return (word << bits) | (word >> (32 - bits));
}

// Mixes the flow's addresses and ports into 32 bits that look random.
static __always_inline __u32 hash_flow(__u32 a, __u32 b, __u32 c)
{
	a ^= 0x9e3779b9;
	for (int round = 0; round < 3; round++) {
		a = (a + b) * 0x85ebca6b;
		b = rotate(b ^ a, 13);
		c = (c ^ b) * 0xc2b2ae35;
		a = rotate(a + c, 16);
	}
	return a ^ (c >> 15);
}

static __always_inline __u16 fold(__u64 sum)
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline int encapsulate(struct xdp_md *ctx, const struct backend *to, __u16 inner_length)
{
	struct ethhdr old, *eth;
	struct iphdr *outer;
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (data + sizeof(old) > end)
		return XDP_ABORTED;
	__builtin_memcpy(&old, data, sizeof(old));
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	outer = (void *)(eth + 1);
	if ((void *)(outer + 1) > end)
		return XDP_ABORTED;

	__builtin_memcpy(eth->h_source, old.h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, to->mac, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);
	outer->version = 4;
	outer->ihl = 5;
	outer->tos = 0;
	outer->tot_len = bpf_htons(inner_length + sizeof(*outer));
	outer->id = 0;
	outer->frag_off = 0;
	outer->ttl = 64;
	outer->protocol = IPPROTO_IPIP;
	outer->check = 0;
	outer->saddr = tunnel_source;
	outer->daddr = to->addr;
	outer->check = fold(bpf_csum_diff(0, 0, (void *)outer, sizeof(*outer), 0));
	return XDP_TX;
}

SEC("xdp")
int load_balancer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__be16 *ports = (void *)(ip + 1);

	if ((void *)(ports + 2) > end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return XDP_PASS;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;

	struct service vip = { .addr = ip->daddr, .port = ports[1], .protocol = ip->protocol };
	struct service_info *service = bpf_map_lookup_elem(&services, &vip);
	if (!service)
		return XDP_PASS;

	__u32 hash = hash_flow(ip->saddr, ip->daddr, ((__u32)ports[0] << 16) | ports[1]);
	__u64 connection = ((__u64)ip->saddr << 32) | ((__u32)ports[0] << 16) | ports[1];
	__u32 *sticky = bpf_map_lookup_elem(&connections, &connection);
	__u32 number;
	if (sticky) {
		number = *sticky;
	} else {
		__u32 slot = service->ring_start + hash % RING_SIZE;
		__u32 *entry = bpf_map_lookup_elem(&ring, &slot);
		if (!entry)
			return XDP_DROP;
		number = *entry;
		bpf_map_update_elem(&connections, &connection, &number, BPF_ANY);
	}

	struct backend *to = bpf_map_lookup_elem(&backends, &number);
	if (!to || !to->addr)
		return XDP_DROP;
	struct stats *stats = bpf_map_lookup_elem(&backend_stats, &number);
	if (stats) {
		stats->packets++;
		stats->bytes += end - data;
	}
	return encapsulate(ctx, to, bpf_ntohs(ip->tot_len));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
