// SPDX-License-Identifier: Apache-2.0
// Drops packets whose IPv4 or IPv6 source lies in a blocklist of prefixes, and counts what it did per CPU.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct prefix4 {
	__u32 prefixlen;
	__u8 addr[4];
};

struct prefix6 {
	__u32 prefixlen;
	__u8 addr[16];
};

struct rule {
	__u32 id;
	__u32 log; // report each hit on the ring buffer
};

struct hit {
	__u64 time_ns;
	__u32 rule;
	__u32 length;
};

// Nothing else keeps this type in the object's BTF, where readers of the ring buffer find it.
struct hit *unused_hit __attribute__((unused));

enum counter { PASSED, DROPPED, NOT_IP, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct prefix4);
	__type(value, struct rule);
} blocklist4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct prefix6);
	__type(value, struct rule);
} blocklist6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} hits SEC(".maps");

const volatile int dry_run = 0;

static __always_inline void count(__u32 which)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &which);
	if (value)
		(*value)++;
}

static __always_inline void report(const struct rule *rule, __u32 length)
{
	struct hit *hit = bpf_ringbuf_reserve(&hits, sizeof(*hit), 0);

	if (!hit)
		return;
	hit->time_ns = bpf_ktime_get_ns();
	hit->rule = rule->id;
	hit->length = length;
	bpf_ringbuf_submit(hit, 0);
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct rule *rule = 0;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);
		struct prefix4 key = { .prefixlen = 32 };

		if ((void *)(ip + 1) > end)
			return XDP_ABORTED;
		__builtin_memcpy(key.addr, &ip->saddr, 4);
		rule = bpf_map_lookup_elem(&blocklist4, &key);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = (void *)(eth + 1);
		struct prefix6 key = { .prefixlen = 128 };

		if ((void *)(ip6 + 1) > end)
			return XDP_ABORTED;
		__builtin_memcpy(key.addr, &ip6->saddr, 16);
		rule = bpf_map_lookup_elem(&blocklist6, &key);
	} else {
		count(NOT_IP);
		return XDP_PASS;
	}

	if (!rule) {
		count(PASSED);
		return XDP_PASS;
	}
	if (rule->log)
		report(rule, end - data);
	count(DROPPED);
	return dry_run ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
