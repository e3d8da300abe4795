#!/usr/bin/env bash
# Prints the Python of a virtual environment that holds tests/consumers/requirements.txt, making it first if need be.
# It lies outside the checkout, keyed by its requirements, so that repeated runs don't pay again.
# usage: venv.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$(cat "$here/requirements.txt" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright/consumers-$key
python=$venv/bin/python
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  pip() { "$venv/bin/pip" --quiet --disable-pip-version-check --no-cache-dir "$@" >&2; }
  # torch's wheel asks for all of CUDA. On a processor it only links these libraries; Triton and the rest stay out.
  pip install --no-deps "$(grep ^torch== "$here/requirements.txt")"
  cuda() { "$venv/bin/python" - "$1" <<'PY'
import importlib.metadata, re, sys
for line in importlib.metadata.requires("torch"):
    name = re.split(r"[ ;=<>\[~]", line)[0]
    if name == sys.argv[1]: print(re.sub(r"\[.*?\]", "", line.split(";")[0]).replace(" ", ""))
PY
  }
  pip install --no-deps "$(cuda nvidia-cudnn-cu13)" "$(cuda nvidia-cusparselt-cu13)" "$(cuda nvidia-nccl-cu13)" \
    "$(cuda nvidia-nvshmem-cu13)"
  pip install --no-deps nvidia-cublas nvidia-cuda-runtime nvidia-cufft nvidia-cufile nvidia-cuda-cupti \
    nvidia-cusolver nvidia-cusparse nvidia-nvjitlink nvidia-cuda-nvrtc
  pip install filelock typing-extensions sympy networkx jinja2 fsspec 'setuptools>=77'
  pip install "$(grep ^transformers== "$here/requirements.txt")" numpy safetensors psutil
  pip install --no-deps "$(grep ^compressed-tensors== "$here/requirements.txt")" loguru accelerate
  "$python" -c 'import torch, transformers, compressed_tensors'
  touch "$venv/complete"
fi
echo "$python"
