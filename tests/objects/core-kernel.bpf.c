// CO-RE against a real kernel: direct loads (PTR_TO_BTF_ID in a tp_btf program) and probe reads of task_struct.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct___partial;

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct task_struct *real_parent;
};

#pragma clang attribute pop

int parent_tgid;
char comm[16];

SEC("raw_tracepoint/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *next = (void *)ctx->args[2];

	parent_tgid = BPF_CORE_READ(next, real_parent, tgid);
	bpf_core_read_str(comm, sizeof(comm), &next->comm);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
