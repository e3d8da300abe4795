#!/usr/bin/env bash
# Runs a consumer test with lm-evaluation-harness. usage: run_lm_eval.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/lm_eval.sh"); then
  echo "skipped: no virtual environment with $here/lm_eval.txt could be made"
  exit 77
fi
exec "$python" "$@"
