// Stands for another kernel: the types that core-fields and core-types are relocated against. Only its BTF is used.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct item_holder {
	char padding[7];
	int items[9];
	int x;
};

struct sample {
	long inserted;
	signed int sign : 9;
	unsigned int flag : 5;
	unsigned int other : 11;
	unsigned int wide : 20;
	unsigned long narrow;
	const char *pointer;
	struct {
		int before;
		union {
			struct {
				unsigned char moved;
				struct item_holder inner[5];
			};
			long alias;
		};
	};
};

enum color {
	BLUE = 1,
	RED = 20,
	GREEN = 21,
};

enum huge___renamed {
	HUGE_ONE = 0x2000000000ULL,
	HUGE_TWO = 1,
};

typedef int (*callback_t)(int, void *);
typedef unsigned int word_t;

struct sample sample;
enum color color;
enum huge___renamed huge;
callback_t callback;
word_t word;

SEC("xdp")
int keep(struct xdp_md *ctx)
{
	sample.inserted = (long)&color + (long)&huge + (long)&callback + word;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
