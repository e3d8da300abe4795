#!/usr/bin/env bash
# From a bare Debian 12 to a first quantized model: installs what is missing (as root, or with sudo), builds into build/,
# starts the service, quantizes the small model of deploy/sample to 4.25 bits average, prints the report, and stops the
# service. The result is in build/quickstart. May be called from any folder, and again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deploy/apt-install.sh deploy/apt-build.txt

configure=(cmake --preset release)
# The tests need more packages; a build folder that has them keeps them.
[[ -f build/CMakeCache.txt ]] || configure+=(-DBITWRIGHT_TESTS=OFF)
"${configure[@]}"
cmake --build --preset release --target bitwright bitwrightd bitwright-worker

sockets=$(mktemp -d)
data=build/quickstart-data
log=build/quickstart-service.log
rm -rf build/quickstart "$data"
service=
stop_service() {
  if [[ -n $service ]]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  rm -rf "$sockets"
}
trap stop_service EXIT

build/bin/bitwrightd --data-dir "$data" --listen "unix:$sockets/socket" --metrics-listen off >"$log" 2>&1 &
service=$!
export BITWRIGHT_SERVER="unix:$sockets/socket"
for ((attempt = 1; ; ++attempt)); do
  if build/bin/bitwright recipe list >/dev/null 2>&1; then
    break
  fi
  if ! kill -0 "$service" 2>/dev/null || ((attempt == 10)); then
    echo "The service did not start; its log, $log:" >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
done

build/bin/bitwright quantize deploy/sample \
  --budget 4.25bpw \
  --calibration deploy/sample/calibration.txt \
  --evaluation deploy/sample/evaluation.txt \
  --out build/quickstart
