#!/usr/bin/env bash
# Prints the Python of a virtual environment that holds what a file of requirements lists, making it first if need be. It
# lies outside the checkout, keyed by the requirements and the version of Python, so that repeated runs don't pay again.
# usage: base_venv.sh REQUIREMENTS [PYTHON]
set -euo pipefail
python=${2:-python3}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright
key=$( (cat "$1" "${BASH_SOURCE[0]}"; "$python" --version) | sha256sum | cut -c1-16)
venv=$cache/python-$key
mkdir -p "$cache"
exec 9>"$cache/python.lock"
flock 9  # of several that begin side by side one makes it
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv" >&2
  "$venv/bin/pip" --quiet --disable-pip-version-check --no-cache-dir install -r "$1" >&2
  touch "$venv/complete"
fi
echo "$venv/bin/python"
