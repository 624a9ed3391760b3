// Subprograms: global ones in .text, static ones kept apart, one used by two programs, one used by none, a hidden one,
// several programs in one section, an optional program.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __noinline __u64 mix(__u64 a, __u64 b)
{
	return (a * 31) ^ (b >> 3);
}

__noinline int unused_global(int x)
{
	return x * 3 + 1;
}

__noinline int classify(__u32 size)
{
	return mix(size, size << 2) & 1 ? 2 : 1;
}

__hidden __noinline int halve(__u32 size)
{
	return size / 2;
}

SEC("xdp")
int first(struct xdp_md *ctx)
{
	return classify(ctx->data_end - ctx->data);
}

SEC("xdp")
int second(struct xdp_md *ctx)
{
	__u32 size = ctx->data_end - ctx->data;

	return mix(size, classify(halve(size))) > 100 ? XDP_PASS : XDP_DROP;
}

SEC("?tc")
int optional(struct __sk_buff *skb)
{
	return classify(skb->len);
}

char LICENSE[] SEC("license") = "GPL";
