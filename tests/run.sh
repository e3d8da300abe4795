#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. May be called from any folder. Its last lines are
# ctest's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deploy/apt-install.sh deploy/apt-build.txt deploy/apt-test.txt
cmake --preset release -DBITWRIGHT_TESTS=ON
cmake --build --preset release
exec ctest --preset release --parallel "$(nproc)" "$@"
