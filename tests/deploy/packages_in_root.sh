#!/usr/bin/env bash
# Installs the packages of BUILD/packages into a fresh Debian 12 (debootstrap, as root, some minutes and 1 GB below /tmp)
# and quantizes the sample there with nothing but what they brought. Then executes the steps of both images of the
# Dockerfile in another such root, and their health checks. Ends with 77 where there is no debootstrap or no root.
# usage: tests/deploy/packages_in_root.sh [BUILD]   (build)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:-build}
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then
  echo "skipped: debootstrap, run as root, is needed"
  exit 77
fi
(cd "$build" && cpack --config CPackConfig.cmake >/dev/null)
top=$(mktemp -d)
trap 'umount "$top"/*/proc 2>/dev/null || true; rm -rf "$top"' EXIT
debootstrap --variant=minbase bookworm "$top/clean" >"$top/debootstrap.log"

# in_root ROOT COMMAND...: as in a container of it.
in_root() {
  local root=$1
  shift
  chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}
quantize() {
  cp -r deploy/sample "$1/tmp/sample"
  mount -t proc proc "$1/proc"
  in_root "$1" bitwright quantize /tmp/sample --budget 4.25bpw --local --calibration /tmp/sample/calibration.txt \
    --evaluation /tmp/sample/evaluation.txt --sample-tokens 0 -o /tmp/out --quiet | head -n 3
  umount "$1/proc"
  (cd "$1/tmp/out/model" && sha256sum --quiet -c SHA256SUMS)
}

cp -a "$top/clean" "$top/packages"
cp "$build"/packages/*.deb "$top/packages/tmp/"
in_root "$top/packages" apt-get update -q >/dev/null
in_root "$top/packages" bash -c 'apt-get install -q -y --no-install-recommends /tmp/*.deb' >"$top/apt.log"
in_root "$top/packages" getent passwd bitwright
quantize "$top/packages"
in_root "$top/packages" apt-get remove -q -y bitwright-server bitwright-worker bitwright >/dev/null
[[ ! -e $top/packages/usr/bin/bitwrightd ]]
echo "the packages: installed, used, removed"

# The stages of the Dockerfile in order, but for the one that builds: their COPY steps, then their RUN step.
mv "$top/clean" "$top/image"
stage() { sed -n "/^FROM .* AS $1\$/,/^FROM /p" Dockerfile | sed '1d;/^FROM /d'; }
execute() {
  local steps run copied
  steps=$(stage "$1")
  while read -ra copied; do
    ((${#copied[@]})) && cp -r "${copied[@]::${#copied[@]}-1}" "$top/image/${copied[-1]}"
  done < <(sed -n 's|^COPY ||p' <<<"$steps" | sed 's|--from=build ||; s|/src/build|'"$build"'|g')
  run=$(sed -n '/^RUN/,/[^\\]$/p' <<<"$steps" | sed 's/^RUN //')
  [ -z "$run" ] || in_root "$top/image" bash -c "$run" >>"$top/docker.log"
}
execute run
execute worker
in_root "$top/image" bitwright-worker --version
execute server
in_root "$top/image" bitwrightd --version
quantize "$top/image"

# As the containers run: as their user, in a network of their own, with what their last stages say.
user=$(stage server | sed -n 's/^USER \([0-9]*\):.*/\1/p')
mount -t proc proc "$top/image/proc"
unshare --net bash -euc '
  ip link set lo up
  as_user() { exec chroot --userspec="$2:$2" "$1" env -i PATH=/usr/local/bin:/usr/bin:/bin XDG_CACHE_HOME=/cache "${@:3}"; }
  (as_user "$@" bitwrightd --data-dir /data --listen 127.0.0.1:7071 --workers 0 --exit-with-parent) 2>"$1/../server.log" &
  (as_user "$@" bitwright-worker --join 127.0.0.1:7071 --exit-with-parent) 2>"$1/../worker.log" &
  worker=$!
  healthy() { for i in $(seq 50); do (as_user "$@") 2>/dev/null && return; sleep 0.2; done; return 1; }
  healthy "$@" server-health
  healthy "$@" worker-health "$worker"
  kill $(jobs -p)' bash "$top/image" "$user"
umount "$top/image/proc"
echo "the images' steps: executed, used, healthy"
