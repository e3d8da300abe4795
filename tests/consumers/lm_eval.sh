#!/usr/bin/env bash
# Prints the Python of a virtual environment that holds lm-evaluation-harness, of the version in lm_eval.txt, beside the
# packages of venv.sh, making it first if need be and BITWRIGHT_ALL_PEERS is set. Outside the checkout, keyed like that
# one.
# usage: lm_eval.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=$("$here/venv.sh")
key=$(cat "$here/lm_eval.txt" "$here/requirements.txt" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/lm-eval-$key
python=$venv/bin/python
if [ ! -e "$venv/complete" ]; then
  [ -n "${BITWRIGHT_ALL_PEERS:-}" ] || exit 77
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  # What is there already (torch, transformers) is found, and not downloaded again.
  "$base" -c 'import site; print(site.getsitepackages()[0])' >"$(echo "$venv"/lib/python3*/site-packages)/consumers.pth"
  "$venv/bin/pip" --quiet --disable-pip-version-check --no-cache-dir install -r "$here/lm_eval.txt" >&2
  "$python" -c 'import lm_eval, torch, transformers'
  touch "$venv/complete"
fi
echo "$python"
