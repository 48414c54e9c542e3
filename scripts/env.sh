# Sourced by every script here: the repository's root, the tools' places on PATH, and two ways to speak.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# What setup puts under .tools wins over what the system has: it is only there when the system's was missing or too old.
export PATH="$root/.tools/node/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;; esac

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
# Is the command at $1 there?
has() { command -v "$1" >/dev/null 2>&1; }
# Download $1 to the file $2. Patient with a slow line, but never silent for ever.
download() {
  curl --proto '=https' --tlsv1.2 --fail --location --show-error --silent --retry 2 --connect-timeout 15 \
    --output "$2" "$1"
}
# Check "sum  file" lines from standard input.
sha256_check() { if has sha256sum; then sha256sum --check --quiet; else shasum --algorithm 256 --check --quiet; fi; }
# Can this script install Debian packages? As root it may; nobody else is asked for a password.
can_apt() { [ "$(id -u)" -eq 0 ] && has apt-get; }
apt_install() {
  say "Debian packages: installing $*"
  apt-get update --quiet --quiet || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends -o Dpkg::Use-Pty=0 \
    "$@" >/dev/null
}
