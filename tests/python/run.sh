#!/usr/bin/env bash
# Runs a test with the Python of OUT/venv, which wheel.sh made. usage: run.sh OUT TEST ARGUMENTS
set -uo pipefail
python=$1/venv/bin/python
if [ ! -x "$python" ]; then
  echo 'skipped: the wheel of client/python was not installed, see the test python.wheel'
  exit 77
fi
shift
exec "$python" -B "$@"
