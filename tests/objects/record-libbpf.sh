#!/bin/sh
# Records what libbpf (libbpf-dev, the installed version) makes of the objects beside it: maps, and instructions after relocation.
# Needs gcc, libbpf-dev and root (BPF_PROG_LOAD; nothing is attached or pinned). Writes libbpf.txt, which the tests read.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/dump.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>
static int quiet(enum libbpf_print_level level, const char *format, va_list args) { return 0; }
int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = argc > 2 ? argv[2] : NULL);
	struct bpf_program *prog, *other;
	struct bpf_object *obj;
	struct bpf_map *map;
	int i, n = 1;

	libbpf_set_print(quiet);
	for (i = 0; i < n; i++) {
		int at = 0, err;

		obj = bpf_object__open_file(argv[1], &opts);
		if (!obj) {
			printf("open-failed\n");
			return 0;
		}
		n = 0;
		prog = NULL;
		bpf_object__for_each_program(other, obj) {
			bpf_program__set_autoload(other, n == i);
			if (n++ == i)
				prog = other;
		}
		bpf_object__for_each_map(map, obj)
			bpf_map__set_pin_path(map, NULL);
		err = bpf_object__load(obj);
		if (i == 0)
			bpf_object__for_each_map(map, obj)
				printf("map %s %d %u %u %u %u %#x %llu\n", bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
				       bpf_map__btf_value_type_id(map), bpf_map__map_flags(map), (unsigned long long)bpf_map__map_extra(map));
		if (prog) {
			const unsigned char *insns = (const void *)bpf_program__insns(prog);
			size_t size = 8 * bpf_program__insn_cnt(prog);

			printf("prog %s %s %d %d %s ", bpf_program__name(prog), bpf_program__section_name(prog), bpf_program__type(prog), bpf_program__expected_attach_type(prog), err ? "failed" : "loaded");
			for (size_t k = 0; k < size; k++)
				printf("%02x", insns[k]);
			printf("\n");
		}
		bpf_object__close(obj);
	}
	return 0;
}
C
gcc -o "$work/dump" "$work/dump.c" -lbpf
for object in *.bpf.o; do
	case $object in
	core-fields*|core-types*|core-direct*) target=core-target.bpf.o ;;
	core-kernel*) continue ;; # depends on the running kernel
	*) target= ;;
	esac
	echo "object $object"
	"$work/dump" "$object" $target
done > libbpf.txt
