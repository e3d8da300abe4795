#!/usr/bin/env bash
# Runs a test of this folder with the Python that has requirements.txt; ends with 77 where that is not there and cannot be
# made (offline).
# usage: run.sh TEST ARGUMENTS
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/../python/base_venv.sh" "$here/requirements.txt"); then
  echo 'skipped: no virtual environment could be made of tests/deploy/requirements.txt'
  exit 77
fi
exec "$python" -B "$here/$1" "${@:2}"
