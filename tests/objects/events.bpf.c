// What a run can tell: trace pipe lines, perf and ring buffer events, a queue, a tail call, per-CPU counts; a program that is rejected beside one that isn't.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum kind { PLAIN, TAGGED };

struct event {
	__u32 length;
	enum kind kind;
	char text[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u32);
} lengths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __be16);
	__type(value, __u64);
} by_ethertype SEC(".maps");

int last(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} tails SEC(".maps") = { .values = { [1] = (void *)&last } };

volatile const int from = 0;
struct event *unused_event __attribute__((unused));
__u64 seen;

SEC("xdp")
int last(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp")
int tell(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 length = end - data;
	__u64 one = 1, *count;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	seen++;
	struct event event = { .length = length, .kind = eth->h_proto == bpf_htons(ETH_P_8021Q) ? TAGGED : PLAIN, .text = "hello" };
	__be16 protocol = eth->h_proto;

	count = bpf_map_lookup_elem(&by_ethertype, &protocol);
	if (count)
		++*count;
	else
		bpf_map_update_elem(&by_ethertype, &protocol, &one, BPF_NOEXIST);
	if (seen <= 2) {
		bpf_printk("packet %llu of %u bytes", seen, length);
		bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &event, sizeof(event));
		bpf_ringbuf_output(&ring, &event, sizeof(event), 0);
	}
	bpf_map_push_elem(&lengths, &length, 0);
	if (seen > from)
		bpf_tail_call(ctx, &tails, 1);
	return XDP_PASS;
}

SEC("xdp")
int careless(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;

	return data[12] == 8 ? XDP_PASS : XDP_DROP;
}

SEC("?tc")
int spare(struct __sk_buff *skb)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
