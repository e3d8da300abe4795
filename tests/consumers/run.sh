#!/usr/bin/env bash
# Runs a consumer test with the Python that VENV prints: venv.sh or lm_eval.sh. usage: run.sh VENV TEST ARGUMENTS
set -uo pipefail
# Tests run side by side: one makes the environment, the others wait for it.
lock=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/consumers.lock
mkdir -p "$(dirname "$lock")"
if ! python=$(flock "$lock" "$1"); then
  echo "skipped: there is no virtual environment of $1, and none could be made; some are made only with BITWRIGHT_ALL_PEERS=1"
  exit 77
fi
shift
exec "$python" "$@"
