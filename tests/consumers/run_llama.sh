#!/usr/bin/env bash
# Runs a consumer test with llama.cpp's folder as its last argument. usage: run_llama.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$("$here/llama_cpp.sh")
code=$?
if [ $code = 77 ]; then echo "skipped: llama.cpp of $here/llama_cpp.txt could not be downloaded or built"; fi
if [ $code != 0 ]; then exit $code; fi
exec python3 "$@" "$folder"
