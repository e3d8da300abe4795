#!/usr/bin/env bash
# Runs a test of this folder with the packages of a pipeline: those of deploy/pipelines/NAME/requirements.txt, in a
# virtual environment outside the checkout, keyed by them, so that repeated runs don't pay again. Those of hundreds of
# megabytes (LARGE) are made only where BITWRIGHT_ALL_PEERS is set.
# usage: run.sh NAME TEST
set -uo pipefail
LARGE=" airflow kubeflow mlflow prefect "
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/../../deploy/pipelines/$1/requirements.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitwright
venv=$cache/$1-$(cat "$requirements" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/$1.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
  if [[ $LARGE == *" $1 "* && -z ${BITWRIGHT_ALL_PEERS:-} ]]; then
    echo "skipped: there is no virtual environment with $1; BITWRIGHT_ALL_PEERS=1 makes it"
    exit 77
  fi
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" --quiet --disable-pip-version-check --no-cache-dir \
    install --requirement "$requirements" && touch "$venv/complete"; } >&2; then
    echo "skipped: no virtual environment could be made of $1/requirements.txt"
    exit 77
  fi
fi
exec 9>&-
exec "$venv/bin/python" -B "$here/$2"
