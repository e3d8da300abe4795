#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests: all but the long ones, or, with --all, those too (ten
# minutes of soak, a minute of every fuzzer, clang-tidy), in a browser and with every peer (BITWRIGHT_ALL_PEERS). May be called from
# any folder. Further arguments go to ctest, whose lines are the last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(deploy/apt-build.txt deploy/apt-test.txt)
selection=(--label-exclude '^long$')
if [[ ${1:-} == --all ]]; then
  shift
  packages+=(deploy/apt-browser.txt)
  selection=()
  export BITWRIGHT_ALL_PEERS=1
fi
deploy/apt-install.sh "${packages[@]}"
cmake --preset release -DBITWRIGHT_TESTS=ON
cmake --build --preset release
exec ctest --preset release --parallel "$(nproc)" "${selection[@]}" "$@"
