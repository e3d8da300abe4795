#!/usr/bin/env bash
# Builds the wheel of client/python in OUT/dist and installs it into OUT/venv, on top of what requirements.txt lists. Ends
# with 77 where that is not there and cannot be made (offline).
# usage: wheel.sh OUT
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/base_venv.sh" "$here/requirements.txt"); then
  echo 'skipped: no virtual environment could be made for the wheel of client/python'
  exit 77
fi
rm -rf "$1/dist"
"$python" -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir "$1/dist" \
  "$here/../../client/python"
"$here/install.sh" "$python" "$1"/dist/bitwright-*.whl "$1/venv"
