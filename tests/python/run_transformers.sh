#!/usr/bin/env bash
# Runs a test like run.sh, with the packages of the consumers (torch, transformers) beside the wheel.
# usage: run_transformers.sh OUT TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lock=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/consumers.lock
mkdir -p "$(dirname "$lock")"
if ! python=$(flock "$lock" "$here/../consumers/venv.sh"); then
  echo 'skipped: no virtual environment could be made by tests/consumers/venv.sh'
  exit 77
fi
PYTHONPATH=$("$python" -c 'import site; print(site.getsitepackages()[0])') exec "$here/run.sh" "$@"
