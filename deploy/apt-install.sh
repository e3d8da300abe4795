#!/usr/bin/env bash
# Installs the Debian packages named in the given lists (one a line). Does nothing, and asks for no rights, when all of
# them are there.
#   deploy/apt-install.sh deploy/apt-build.txt [deploy/apt-test.txt ...]
set -euo pipefail

mapfile -t packages < <(cat -- "$@" | grep -v '^[[:space:]]*$' | sort -u)
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == *installed* && $state != not-installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing: ${missing[*]}" >&2
    echo "Run again as root, or install sudo." >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
# Programs are wanted, not daemons: some packages (prometheus) start one that takes a port of this machine, unless
# policy-rc.d says no, which containers often bring along (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 0755 /dev/stdin "$policy"
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
