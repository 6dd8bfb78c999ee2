#!/usr/bin/env bash
# packages.sh NAME...: makes sure that these Debian packages are installed; does nothing when they are.
# Exits 1, and says what to install by hand, where that cannot be done.
set -euo pipefail

missing=()
for name in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "needed and not found: ${missing[*]} (Debian names). Install them with this system's package tool." >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "needed: ${missing[*]}. Run as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y -q --no-install-recommends "${missing[@]}"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing: ${missing[*]}" >&2
# The package lists of a fresh machine are often old: bring them up to date only when the first try fails.
if ! install >"$log" 2>&1; then
    "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update -q >>"$log" 2>&1 || true
    install >>"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
fi
