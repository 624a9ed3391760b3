// Addresses of functions: callbacks of bpf_loop and bpf_for_each_map_elem, static and in .text.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct sum {
	__u64 total;
	__u32 rounds;
};

static long add_round(__u32 index, struct sum *sum)
{
	sum->total += index;
	sum->rounds++;
	return index >= 6;
}

static __noinline __u64 scale(__u64 value)
{
	return value * 3 + 1;
}

static long add_element(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->total += scale(*value);
	return 0;
}

SEC("tc")
int total(struct __sk_buff *skb)
{
	struct sum sum = {};

	bpf_loop(10, add_round, &sum, 0);
	bpf_for_each_map_elem(&numbers, add_element, &sum, 0);
	return sum.total + sum.rounds;
}

char LICENSE[] SEC("license") = "GPL";
