#!/usr/bin/env bash
# Installs the packages of BUILD/packages into a fresh Debian 12 (debootstrap, as root, some minutes and 1 GB below /tmp)
# and quantizes the sample there with nothing but what they brought. Then executes the steps of the Dockerfile's last
# stage in another such root. Ends with 77 where there is no debootstrap or no root.
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

# The last stage of the Dockerfile, its RUN and COPY steps in order.
mv "$top/clean" "$top/image"
stage=$(sed -n '/^FROM debian:12-slim/,$p' Dockerfile)
cp deploy/apt-runtime.txt "$top/image/tmp/"
run=$(sed -n '/^RUN/,/[^\\]$/p' <<<"$stage" | sed 's/^RUN //')
in_root "$top/image" bash -c "$run" >"$top/docker.log"
read -ra copied < <(sed -n 's|^COPY --from=build ||p' <<<"$stage" | sed 's|/src/build|'"$build"'|g')
cp "${copied[@]::${#copied[@]}-1}" "$top/image/${copied[-1]}"
in_root "$top/image" bitwrightd --version
quantize "$top/image"
echo "the image's steps: executed, used"
