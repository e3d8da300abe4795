#!/usr/bin/env bash
# Builds the wheel of client/python and installs it into OUT/venv, a new virtual environment on top of one that has what
# the wheel needs. That one lies outside the checkout, keyed by requirements.txt, so that repeated runs don't pay again.
# Ends with 77 where it is not there and cannot be made (offline).
# usage: wheel.sh OUT [PYTHON]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
python=${2:-python3}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright
key=$( (cat "$here/requirements.txt" "${BASH_SOURCE[0]}"; "$python" --version) | sha256sum | cut -c1-16)
base=$cache/python-$key

make_base() {
  [ -e "$base/complete" ] && return
  rm -rf "$base" && "$python" -m venv "$base" >&2 &&
    "$base/bin/pip" --quiet --disable-pip-version-check --no-cache-dir install -r "$here/requirements.txt" >&2 &&
    touch "$base/complete"
}

mkdir -p "$cache" "$out"
exec 9>"$cache/python.lock"
flock 9  # of several that begin side by side one makes it
if ! make_base; then
  echo "skipped: no virtual environment could be made in $base"
  exit 77
fi
flock -u 9
rm -rf "$out/venv" "$out/dist"
pip() { "$base/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
pip wheel --no-deps --no-build-isolation --wheel-dir "$out/dist" "$here/../../client/python"
"$python" -m venv --without-pip "$out/venv"
# What is there already is found, and not installed again.
"$base/bin/python" -c 'import site; print(site.getsitepackages()[0])' >"$(echo "$out"/venv/lib/python3*/site-packages)/base.pth"
pip --python "$out/venv/bin/python" install --no-deps "$out"/dist/bitwright-*.whl
