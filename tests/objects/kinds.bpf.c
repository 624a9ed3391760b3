// Types of every BTF kind: float, decl tag, type tag, enum64, function pointers, forward declarations, restrict, volatile.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __tag(x) __attribute__((btf_decl_tag(x)))
#define __type_tagged(x) __attribute__((btf_type_tag(x)))

struct unknown;
union choice;

enum big { BIG = 0x1ffffffffULL, SMALL = 1 };
enum minus { MINUS = -1, PLUS = 1 };

typedef int (*handler_t)(struct unknown *, const char *restrict, ...);

struct everything {
	struct unknown *declared;
	union choice *choice;
	handler_t handler;
	float ratio;
	double precise;
	volatile int changing;
	int __type_tagged("user") *user;
	enum big big;
	enum minus minus;
	unsigned int bits : 5;
	char matrix[2][3];
} __tag("a struct");

struct everything everything __tag("a variable");

SEC("xdp")
int touch(struct xdp_md *ctx __tag("a parameter"))
{
	return everything.changing == 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
