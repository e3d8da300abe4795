#!/usr/bin/env bash
# Runs a consumer test with llama.cpp's folder as its last argument. usage: run_llama.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=()
if [ -n "${BITWRIGHT_ALL_PEERS:-}" ]; then build=(--build); fi
folder=$("$here/llama_cpp.sh" "${build[@]}")
code=$?
if [ $code = 77 ]; then echo "skipped: there is no built llama.cpp; BITWRIGHT_ALL_PEERS=1 builds it where the network allows"; fi
if [ $code != 0 ]; then exit $code; fi
exec python3 "$@" "$folder"
