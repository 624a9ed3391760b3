// SPDX-License-Identifier: Apache-2.0
// Parses the 5-tuple and lets a rule of an array decide.
#include "bench.h"

#define RULES 1024

struct rule {
	__u32 action;
	__u32 hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULES);
	__type(key, __u32);
	__type(value, struct rule);
} rules SEC(".maps");

SEC("xdp")
int parse_rule(struct xdp_md *ctx)
{
	struct packet *p = udp_packet(ctx);
	struct tuple t;

	if (!p)
		return XDP_PASS;
	p->udp.dest = bpf_htons(scatter(seq++, 0xffff));
	tuple_of(p, &t);
	__u32 hash = (t.saddr ^ rotate32(t.daddr, 16)) * 0x9e3779b1u;
	__u32 index = (hash ^ t.protocol ^ t.sport ^ rotate32(t.dport, 3)) & (RULES - 1);
	struct rule *rule = bpf_map_lookup_elem(&rules, &index);
	if (!rule)
		return XDP_ABORTED;
	rule->hits++;
	return rule->action;
}
