// CO-RE relocations of loads and stores themselves: width down and up, pointers, a signed field that changed size (refused), a missing one.
// Not for loading: the pointer comes from nowhere. Only the instructions after relocation count.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sample {
	long first;
	unsigned int moved;
	unsigned short narrow;
	const char *pointer;
	int before;
	int inserted;
	int gone;
};

#pragma clang attribute pop

SEC("tc")
int direct(struct __sk_buff *skb)
{
	struct sample *s = (void *)(long)skb->mark;

	return s->moved + s->narrow + s->before + (s->pointer != 0);
}

SEC("tc")
int store(struct __sk_buff *skb)
{
	struct sample *s = (void *)(long)skb->mark;

	s->moved = 7;
	s->narrow = skb->len;
	return 0;
}

SEC("tc")
int signed_growth(struct __sk_buff *skb)
{
	struct sample *s = (void *)(long)skb->mark;

	return s->inserted;
}

SEC("tc")
int missing(struct __sk_buff *skb)
{
	struct sample *s = (void *)(long)skb->mark;

	return s->gone;
}

char LICENSE[] SEC("license") = "GPL";
