#!/usr/bin/env bash
# On every Python from 3.9 to 3.13 that is at hand (in PATH, or of pyenv): the wheel is installed with the newest packages
# that there are for it, and goes from a folder to an artifact. usage: versions.sh OUT
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tried=0 failed=0
for version in 3.9 3.10 3.11 3.12 3.13; do
  python=$(ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python 2>/dev/null | tail -1)
  [ -n "$python" ] || python=$(command -v "python$version")
  if [ -z "$python" ]; then
    echo "skipped: Python $version is not here"
    continue
  fi
  "$here/wheel.sh" "$1/$version" "$python"
  case $? in
    0) ;;
    77) continue ;;
    *) failed=1; continue ;;
  esac
  tried=1
  "$here/run.sh" "$1/$version" "$here/whole_path.py" || failed=1
done
[ $failed = 0 ] || exit 1
[ $tried = 1 ] || exit 77
