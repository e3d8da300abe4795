#!/usr/bin/env bash
# Builds every fuzzer with clang and runs each for SECONDS on its corpus, on all cores. Fails when one finds something:
# the input is then in BUILD/found, and belongs into tests/fuzz/corpus once it is mended.
# usage: tests/fuzz/run.sh [SECONDS [BUILD]]   (600 seconds; build-fuzz)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-600}
build=${2:-$here/../../build-fuzz}
if ! command -v clang++-14 >/dev/null; then
  echo "skipped: there is no clang++-14"
  exit 77
fi
if [[ ! -e $(clang++-14 -print-file-name=libclang_rt.fuzzer-x86_64.a) ]]; then
  echo "skipped: there is no libFuzzer (package libclang-rt-14-dev)"
  exit 77
fi
cd "$here/../.."
mapfile -t fuzzers < <(sed -n 's/^bw_fuzz(\([a-z_]*\) .*/\1/p' "$here/CMakeLists.txt")
mkdir -p "$build"
# What a build prints would hide what a fuzzer found.
if ! { cmake --preset fuzz -B "$build" && cmake --build "$build" --target "${fuzzers[@]}"; } >"$build/build.log" 2>&1; then
  echo "the fuzzers do not build; the end of $build/build.log:"
  tail -n 60 "$build/build.log"
  exit 1
fi

found=$build/found
mkdir -p "$found"
run() {
  local name=$1 corpus=$here/corpus/${1%_fuzz} grown=$build/grown/$1
  mkdir -p "$grown"
  local arguments=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -artifact_prefix="$found/$name-" -print_final_stats=1)
  # Short runs are alike, so that no build fails by luck; long ones are there to find something new.
  ((seconds < 600)) && arguments+=(-seed=1)
  [[ -e $here/${name%_fuzz}.dict ]] && arguments+=(-dict="$here/${name%_fuzz}.dict")
  if "$build/fuzz/$name" "${arguments[@]}" "$grown" "$corpus" >"$build/$name.log" 2>&1; then
    echo "$name: clean, $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log") inputs"
  else
    echo "$name: found something; the end of $build/$name.log:"
    tail -n 30 "$build/$name.log"
    return 1
  fi
}
export -f run
export here build seconds found
printf '%s\n' "${fuzzers[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run {}'
