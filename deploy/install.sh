#!/usr/bin/env bash
# Builds the Debian packages from this checkout and installs them, as root or with sudo. On a machine with systemd the
# service then runs, on loopback only.
#   deploy/install.sh [client] [server] [worker]     (default: client and server; the service brings the worker)
# A worker of a service on another host is told of it in /etc/bitwright/worker.env:
#   BITWRIGHT_WORKER_OPTIONS=--join HOST:PORT --token-file FILE --tls-ca FILE
# and then begins with `systemctl enable --now bitwright-worker`.
set -euo pipefail
parts=("${@:-client}")
(($# == 0)) && parts=(client server)
for part in "${parts[@]}"; do
  case $part in
    client | server | worker) ;;
    *)
      echo "deploy/install.sh: there is no part '$part'; client, server and worker are" >&2
      exit 2
      ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deploy/apt-install.sh deploy/apt-build.txt
configure=(cmake --preset release)
[[ -f build/CMakeCache.txt ]] || configure+=(-DBITWRIGHT_TESTS=OFF)
"${configure[@]}"
cmake --build --preset release --target bitwright bitwrightd bitwright-worker shell_files
rm -rf build/packages
(cd build && cpack --config CPackConfig.cmake)

packages=()
for part in "${parts[@]}"; do
  case $part in
    client) packages+=(build/packages/bitwright_*.deb) ;;
    server) packages+=(build/packages/bitwright-server_*.deb build/packages/bitwright-worker_*.deb) ;;
    worker) packages+=(build/packages/bitwright-worker_*.deb) ;;
  esac
done
mapfile -t packages < <(printf "$PWD/%s\n" "${packages[@]}" | sort -u)
as_root=()
((EUID == 0)) || as_root=(sudo)
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --reinstall "${packages[@]}"
