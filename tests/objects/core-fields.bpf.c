// CO-RE relocations of fields: moved, in anonymous members, in arrays, bitfields, missing ones, sizes; flavours.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inner {
	int x;
	int items[4];
};

struct sample {
	int before;
	union {
		struct {
			long hidden;
			unsigned int moved;
		};
		char raw[16];
	};
	struct inner inner[3];
	unsigned int flag : 3;
	unsigned int wide : 17;
	signed int sign : 6;
	unsigned short narrow;
	const char *pointer;
};

struct sample___gone {
	int no_such_field;
};

struct nowhere {
	int a;
};

#pragma clang attribute pop

__u64 out[16];

SEC("raw_tracepoint/sys_enter")
int fields(struct bpf_raw_tracepoint_args *ctx)
{
	struct sample *s = (void *)ctx->args[0];
	struct sample___gone *gone = (void *)s;

	out[0] = BPF_CORE_READ(s, moved);
	out[1] = BPF_CORE_READ(s, inner[2].items[1]);
	out[2] = BPF_CORE_READ_BITFIELD_PROBED(s, flag);
	out[3] = BPF_CORE_READ_BITFIELD_PROBED(s, wide);
	out[4] = BPF_CORE_READ_BITFIELD_PROBED(s, sign);
	out[5] = bpf_core_field_exists(gone->no_such_field);
	out[6] = bpf_core_field_size(s->narrow);
	out[7] = bpf_core_field_offset(s->pointer);
	if (bpf_core_field_exists(gone->no_such_field))
		out[8] = BPF_CORE_READ(gone, no_such_field);
	out[9] = bpf_core_type_exists(struct nowhere);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
