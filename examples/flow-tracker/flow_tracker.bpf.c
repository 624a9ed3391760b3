// SPDX-License-Identifier: Apache-2.0
// Counts packets and bytes per flow (5-tuple, IPv4 and IPv6, VLAN tags skipped) in a hash map, with atomic adds.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__u8 saddr[16]; // IPv4 addresses stand in the first 4 bytes
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 protocol;
	__u8 version; // 4 or 6
	__u16 pad;
};

struct counters {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
};

struct vlan_tag {
	__be16 tci;
	__be16 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, struct counters);
} flows SEC(".maps");

enum skipped { NOT_IP, TOO_SHORT, FRAGMENT, TABLE_FULL, SKIPPED_KINDS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SKIPPED_KINDS);
	__type(key, __u32);
	__type(value, __u64);
} skipped SEC(".maps");

static __always_inline int skip(__u32 why)
{
	__u64 *count = bpf_map_lookup_elem(&skipped, &why);
	if (count)
		(*count)++;
	return XDP_PASS;
}

SEC("xdp")
int flow_tracker(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct flow key = {};
	void *next = eth + 1;
	__be16 protocol;

	if (next > end)
		return skip(TOO_SHORT);
	protocol = eth->h_proto;
#pragma unroll
	for (int tags = 0; tags < 2; tags++) {
		struct vlan_tag *tag = next;

		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return skip(TOO_SHORT);
		protocol = tag->protocol;
		next = tag + 1;
	}

	if (protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next;

		if ((void *)(ip + 1) > end || ip->ihl < 5)
			return skip(TOO_SHORT);
		if (ip->frag_off & bpf_htons(0x1fff))
			return skip(FRAGMENT);
		__builtin_memcpy(key.saddr, &ip->saddr, 4);
		__builtin_memcpy(key.daddr, &ip->daddr, 4);
		key.protocol = ip->protocol;
		key.version = 4;
		next = (void *)ip + ip->ihl * 4;
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = next;

		if ((void *)(ip6 + 1) > end)
			return skip(TOO_SHORT);
		__builtin_memcpy(key.saddr, &ip6->saddr, 16);
		__builtin_memcpy(key.daddr, &ip6->daddr, 16);
		key.protocol = ip6->nexthdr;
		key.version = 6;
		next = ip6 + 1;
	} else {
		return skip(NOT_IP);
	}

	if (key.protocol == IPPROTO_TCP || key.protocol == IPPROTO_UDP) {
		__be16 *ports = next;

		if ((void *)(ports + 2) > end)
			return skip(TOO_SHORT);
		key.sport = ports[0];
		key.dport = ports[1];
	}

	struct counters *seen = bpf_map_lookup_elem(&flows, &key);
	__u64 now = bpf_ktime_get_ns();
	__u64 bytes = end - data;

	if (seen) {
		__sync_fetch_and_add(&seen->packets, 1);
		__sync_fetch_and_add(&seen->bytes, bytes);
		seen->last_ns = now;
	} else {
		struct counters first = { .packets = 1, .bytes = bytes, .first_ns = now, .last_ns = now };

		if (bpf_map_update_elem(&flows, &key, &first, BPF_NOEXIST))
			return skip(TABLE_FULL);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
