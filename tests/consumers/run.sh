#!/usr/bin/env bash
# Runs a consumer test with the Python of its virtual environment. usage: run.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/venv.sh"); then
  echo "skipped: no virtual environment with $here/requirements.txt could be made"
  exit 77
fi
exec "$python" "$@"
