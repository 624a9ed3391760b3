// Global variables of every kind: .data, .bss, .rodata, a custom data section, static ones, arrays, structs, a string literal.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct limits {
	__u32 low;
	__u64 high;
	char name[8];
};

enum mode { MODE_OFF, MODE_COUNT = 5, MODE_DROP = 9 };

__u64 packets;
__u32 per_proto[4];
static volatile __u32 hidden_count;
int level = -7;
struct limits limits = { .low = 3, .high = 0x1122334455667788ULL, .name = "web" };
enum mode mode = MODE_COUNT;
const volatile __u32 sample_rate = 10;
const volatile _Bool verbose = 0;
__u64 hot SEC(".data.hot") = 42;

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u64 size = ctx->data_end - ctx->data;

	packets++;
	hidden_count += 2;
	per_proto[size & 3]++;
	hot += size;
	if (verbose)
		bpf_printk("%llu packets, %u hidden", packets, hidden_count);
	if (mode == MODE_DROP || size < limits.low)
		return XDP_DROP;
	return size % sample_rate ? XDP_PASS : level + 9;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
__u32 KERNEL SEC("version") = 0x060c00;
