// SPDX-License-Identifier: Apache-2.0
// TC egress: marks packets by class (DNS, web, other), rewrites DSCP of web traffic with a proper checksum, and asks for a redirect of DNS.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum traffic { OTHER, DNS, WEB, CLASSES };

struct class_stats {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLASSES);
	__type(key, __u32);
	__type(value, struct class_stats);
} classes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u32);
} port_classes SEC(".maps");

const volatile __u32 dns_ifindex = 0; // redirect DNS there when not 0
__u32 last_mark;

#define DSCP_AF21 (18 << 2)

static __always_inline __u32 classify(__be16 sport, __be16 dport)
{
	__u16 port = bpf_ntohs(dport);
	__u32 *class = bpf_map_lookup_elem(&port_classes, &port);

	if (!class) {
		port = bpf_ntohs(sport);
		class = bpf_map_lookup_elem(&port_classes, &port);
	}
	return class ? *class : OTHER;
}

SEC("tc")
int tc_marker(struct __sk_buff *skb)
{
	__u32 class = OTHER;
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return TC_ACT_SHOT;
	if (ip.protocol == IPPROTO_TCP || ip.protocol == IPPROTO_UDP) {
		__be16 ports[2];

		if (bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4, ports, sizeof(ports)))
			return TC_ACT_SHOT;
		class = classify(ports[0], ports[1]);
	}

	struct class_stats *stats = bpf_map_lookup_elem(&classes, &class);
	if (stats) {
		__sync_fetch_and_add(&stats->packets, 1);
		__sync_fetch_and_add(&stats->bytes, skb->len);
	}
	skb->mark = 0x100 | class;
	skb->tc_index = class;
	last_mark = skb->mark;

	if (class == WEB && ip.tos != DSCP_AF21) {
		__u8 tos = DSCP_AF21;

		bpf_l3_csum_replace(skb, ETH_HLEN + __builtin_offsetof(struct iphdr, check), bpf_htons(ip.tos), bpf_htons(tos), 2);
		bpf_skb_store_bytes(skb, ETH_HLEN + __builtin_offsetof(struct iphdr, tos), &tos, 1, 0);
	}
	if (class == DNS && dns_ifindex)
		return bpf_redirect(dns_ifindex, 0);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
