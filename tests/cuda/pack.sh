#!/bin/sh
# Packs programs of a build with the libraries that they need, for a machine that has CUDA and nothing else:
#   tests/cuda/pack.sh ARCHIVE.tar.xz build/tests/cuda_test ...
# There, in a folder of its own: tar xf ARCHIVE.tar.xz; echo "$PWD/lib" > /etc/ld.so.conf.d/bitwright.conf; ldconfig;
# bin/cuda_test. A task's child takes no LD_LIBRARY_PATH, hence ldconfig.
set -eu
archive=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/lib"
for program in "$@"; do
  strip -o "$folder/bin/$(basename "$program")" "$program"
  # What glibc and GCC bring is there, in this version or a later one.
  ldd "$program" | awk '$2 == "=>" && $3 ~ "^/" {print $1, $3}' |
    grep -Ev '^(libc|libm|libdl|librt|libpthread|libgcc_s|libresolv|libcublas|libcublasLt|libcusolver)\.so' |
    while read -r name path; do
      [ -e "$folder/lib/$name" ] || strip -o "$folder/lib/$name" "$(readlink -f "$path")"
    done
done
tar -C "$folder" -cf - bin lib | xz -T0 -3 > "$archive"
ls -l "$archive"
