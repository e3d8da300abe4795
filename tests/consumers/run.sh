#!/usr/bin/env bash
# Runs a consumer test with the Python that VENV prints: venv.sh or lm_eval.sh. usage: run.sh VENV TEST ARGUMENTS
set -uo pipefail
if ! python=$("$1"); then
  echo "skipped: no virtual environment could be made by $1"
  exit 77
fi
shift
exec "$python" "$@"
