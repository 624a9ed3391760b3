// CO-RE relocations of types and enumerators.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sample {
	int before;
};

struct sample___other {
	long before;
};

struct nowhere {
	int a;
};

#pragma clang attribute pop

typedef int (*callback_t)(int, void *);
typedef unsigned long word_t;

enum color {
	RED = 1,
	GREEN = 2,
	MISSING = 3,
};

enum huge {
	HUGE_ONE = 0x100000000ULL,
};

__u64 out[16];

SEC("raw_tracepoint/sys_enter")
int types(void *ctx)
{
	out[0] = bpf_core_type_id_local(struct sample);
	out[1] = bpf_core_type_id_kernel(struct sample);
	out[2] = bpf_core_type_exists(struct sample);
	out[3] = bpf_core_type_size(struct sample);
	out[4] = bpf_core_type_exists(struct nowhere);
	out[5] = bpf_core_type_exists(callback_t);
	out[6] = bpf_core_enum_value_exists(enum color, GREEN);
	out[7] = bpf_core_enum_value(enum color, GREEN);
	out[8] = bpf_core_enum_value_exists(enum color, MISSING);
	if (bpf_core_enum_value_exists(enum color, MISSING))
		out[9] = bpf_core_enum_value(enum color, MISSING);
	out[10] = bpf_core_enum_value(enum huge, HUGE_ONE);
	out[11] = bpf_core_type_matches(struct sample);
	out[12] = bpf_core_type_matches(struct sample___other);
	out[13] = bpf_core_type_size(word_t);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
