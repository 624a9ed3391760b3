// Outside symbols that the loader has to know: .kconfig, .ksyms, a kfunc; and one program that needs none of them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern const int jiffies_64 __ksym;
extern void bpf_rcu_read_lock(void) __ksym;

__u64 seen;

SEC("tc")
int needs_config(struct __sk_buff *skb)
{
	return LINUX_KERNEL_VERSION > 0x50000;
}

SEC("tc")
int needs_ksym(struct __sk_buff *skb)
{
	seen = (__u64)&jiffies_64;
	return 0;
}

SEC("tc")
int needs_kfunc(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	return 0;
}

SEC("tc")
int needs_nothing(struct __sk_buff *skb)
{
	return skb->len;
}

char LICENSE[] SEC("license") = "GPL";
