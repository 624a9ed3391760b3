#!/bin/sh
# Rebuilds the committed objects. Compilers: clang 19.1 (all), clang 14 and 16 (those that older compilers make differently).
# Headers: libbpf-dev 1.1, linux-libc-dev 6.1. No absolute path gets into the objects.
set -eu
cd "$(dirname "$0")"
flags="-O2 -g -target bpf -mcpu=v3 -Wall -I/usr/include/x86_64-linux-gnu -fdebug-compilation-dir=. -ffile-prefix-map=/usr/include=include"
build() { # compiler source output
	command -v "$1" >/dev/null || { echo "skipped $3: no $1"; return 0; }
	"$1" $flags -c "$2" -o "$3"
}
for source in *.bpf.c; do
	build clang-19 "$source" "${source%.c}.o"
done
for name in globals subprogs maps callbacks core-fields; do
	build clang-14 "$name.bpf.c" "$name.clang14.bpf.o"
	build clang-16 "$name.bpf.c" "$name.clang16.bpf.o"
done
# clang 14 has no bpf_core_type_matches.
build clang-16 core-types.bpf.c core-types.clang16.bpf.o
