#!/usr/bin/env bash
# On every Python from 3.9 to 3.13 that is at hand (in PATH, or of pyenv): the wheel in OUT/dist is installed with the newest
# packages that it may have there, and goes from a folder to an artifact. usage: versions.sh OUT
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! wheel=$(ls "$1"/dist/bitwright-*.whl); then
  echo 'skipped: the wheel of client/python was not built, see the test python.wheel'
  exit 77
fi
python3 -c 'import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode()
print("\n".join(re.findall(r"^Requires-Dist: ([^;\n]+)$", metadata, re.MULTILINE)))' "$wheel" >"$1/needs.txt"
tried=0 failed=0
for version in 3.9 3.10 3.11 3.12 3.13; do
  python=$(ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python 2>/dev/null | tail -1)
  [ -n "$python" ] || python=$(command -v "python$version")
  if [ -z "$python" ] || ! base=$("$here/base_venv.sh" "$1/needs.txt" "$python"); then
    echo "skipped: Python $version is not here, or its packages cannot be had"
    continue
  fi
  tried=1
  "$here/install.sh" "$base" "$wheel" "$1/$version/venv" && "$here/run.sh" "$1/$version" "$here/whole_path.py" || failed=1
done
[ $failed = 0 ] || exit 1
[ $tried = 1 ] || exit 77
