// SPDX-License-Identifier: Apache-2.0
// What the benchmark programs share: headers, the run number, the sum of results, and parsing.
//
// BPF_PROG_TEST_RUN runs a program on one packet again and again and never restores it, so a program that should see another flow,
// key or number each time takes it from `seq`, and none may leave the packet in a state in which the next run does different work.
#pragma once
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

__u32 seq; // runs so far
__u64 sum; // of what the runs found, so that no work can be left out

// A bijection on the low bits: neighbouring run numbers come out far apart.
static __always_inline __u32 scatter(__u32 n, __u32 mask)
{
	return (n * 0x9e3779b1u) & mask;
}

static __always_inline __u32 rotate32(__u32 word, int bits)
{
	return (word << bits) | (word >> (32 - bits));
}

static __always_inline __u64 rotate64(__u64 word, int bits)
{
	return (word << bits) | (word >> (64 - bits));
}

// A hash of 32 bits that costs a few nanoseconds.
static __always_inline __u32 mix32(__u32 x)
{
	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

// The headers of an IPv4 UDP packet without options; NULL for anything else.
static __always_inline struct packet *udp_packet(struct xdp_md *ctx)
{
	struct packet *p = (void *)(long)ctx->data;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return 0;
	if (p->eth.h_proto != bpf_htons(ETH_P_IP) || p->ip.ihl != 5 || p->ip.protocol != IPPROTO_UDP)
		return 0;
	return p;
}

struct tuple {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 protocol;
};

static __always_inline void tuple_of(const struct packet *p, struct tuple *t)
{
	t->saddr = p->ip.saddr;
	t->daddr = p->ip.daddr;
	t->sport = p->udp.source;
	t->dport = p->udp.dest;
	t->protocol = p->ip.protocol;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
