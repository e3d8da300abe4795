#!/usr/bin/env bash
# Makes what compose.yaml reads in secrets/ beside it: an authority with a certificate of the server (for the names
# "server" and "localhost", ten years), tokens of the workers and of you, Grafana's password. Keeps what is there. The
# folder is this user's alone; the files in it can be read by others, since the users of the containers have to.
# usage: secrets.sh [FOLDER]   BITWRIGHT: the command line, where there is no bitwright in PATH, such as
# "docker run --rm --entrypoint bitwright bitwright"
set -euo pipefail
folder=${1:-$(dirname "${BASH_SOURCE[0]}")/secrets}
read -ra bitwright <<<"${BITWRIGHT:-bitwright}"
mkdir -p -m 0700 "$folder"
cd "$folder"

certificate() {  # NAME, then arguments of openssl: NAME.pem and NAME.key
  local name=$1
  shift
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -keyout "$name.key" -out "$name.pem" "$@" \
    2>/dev/null
}
if [ ! -e ca.pem ]; then
  certificate ca -subj '/CN=Bitwright'
  rm -f server.pem
fi
[ -e server.pem ] || certificate server -subj '/CN=server' -CA ca.pem -CAkey ca.key \
  -addext 'subjectAltName=DNS:server,DNS:localhost,IP:127.0.0.1' -addext 'basicConstraints=critical,CA:FALSE'

token() {  # NAME ROLES: NAME.token, and its line in the tokens file
  [ -e "$1.token" ] && return
  local made
  made=$("${bitwright[@]}" token new --name "$1" --tenant default --role "$2")
  sed -n 1p <<<"$made" >"$1.token"
  sed -n 2p <<<"$made" >>tokens
}
token worker worker
token user submitter,operator
[ -e grafana.password ] || openssl rand -hex 16 >grafana.password
chmod 0644 -- *
chmod 0600 ca.key user.token
