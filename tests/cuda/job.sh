#!/bin/sh
# Whole jobs on an NVIDIA card, by the real programs: a worker takes the card, and its confined child computes on it. Twice
# the same job gives the same bytes. Ends with 77 where there is no card.
#   tests/cuda/job.sh BIN SAMPLE     folders of the programs, and of the model with its texts (deploy/sample)
set -eu
bin=$1
sample=$2
if [ ! -e /dev/nvidiactl ]; then
  echo "skipped: there is no NVIDIA card here"
  exit 77
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for run in first second; do
  "$bin/bitwright" quantize "$sample" --local --device cuda --budget 4.25bpw --calibration "$sample/calibration.txt" \
    --evaluation "$sample/evaluation.txt" -o "$out/$run"
  grep -E 'compute class +cuda-' "$out/$run/report.txt"
done
cmp "$out/first/model/SHA256SUMS" "$out/second/model/SHA256SUMS"
"$bin/bitwright" quantize "$sample" --local --device cpu --budget 4.25bpw --calibration "$sample/calibration.txt" \
  --evaluation "$sample/evaluation.txt" -o "$out/cpu"
grep -E 'compute class +cpu-' "$out/cpu/report.txt"
echo "cuda job: on the card twice with the same bytes, and on the processor"
