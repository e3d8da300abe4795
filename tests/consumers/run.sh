#!/usr/bin/env bash
# usage: run.sh BITWRIGHT SOURCE_DIR
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/venv.sh"); then
  echo "skipped: no virtual environment with $here/requirements.txt could be made"
  exit 77
fi
exec "$python" "$here/transformers_test.py" "$@"
