#!/usr/bin/env bash
# Makes VENV, a virtual environment on top of that of another Python, and installs the wheel into it.
# usage: install.sh BASE_PYTHON WHEEL VENV
set -euo pipefail
rm -rf "$3"
"$1" -m venv --without-pip "$3"
# What is there already is found, and not installed again.
"$1" -c 'import site; print(site.getsitepackages()[0])' >"$(echo "$3"/lib/python3*/site-packages)/base.pth"
"$1" -m pip --quiet --disable-pip-version-check --python "$3/bin/python" install --no-deps "$2"
