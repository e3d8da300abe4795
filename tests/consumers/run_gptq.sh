#!/usr/bin/env bash
# Runs a consumer test with GPTQModel beside the packages of requirements.txt: in a folder of its own, outside the
# checkout, keyed by gptq.txt, and only where BITWRIGHT_ALL_PEERS is set. usage: run_gptq.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lock=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/consumers.lock  # of run.sh
mkdir -p "$(dirname "$lock")"
exec 9>"$lock"
flock 9
if ! python=$("$here/venv.sh"); then
  echo "skipped: no virtual environment with $here/requirements.txt could be made"
  exit 77
fi
key=$(cat "$here/gptq.txt" "$here/requirements.txt" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
packages=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/gptq-$key
if [ ! -e "$packages/complete" ]; then
  if [ -z "${BITWRIGHT_ALL_PEERS:-}" ]; then
    echo "skipped: GPTQModel is not there; BITWRIGHT_ALL_PEERS=1 installs it"
    exit 77
  fi
  rm -rf "$packages"
  pip() { "$python" -m pip --quiet --disable-pip-version-check --no-cache-dir install --no-deps --target "$packages" "$@"; }
  # Its own extensions are for GPUs; the source builds without them.
  if ! { pip -r "$here/gptq.txt" && BUILD_CUDA_EXT=0 pip --no-build-isolation gptqmodel==7.7.0; }; then
    echo "skipped: the packages of $here/gptq.txt could not be installed"
    exit 77
  fi
  touch "$packages/complete"
fi
exec 9>&-
PYTHONPATH=$packages exec "$python" "$@"
