#!/usr/bin/env bash
# build.sh [swift build arguments]: builds with what the build needs installed; prints only problems and the end.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh libsqlite3-dev
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building (${CONFIG:-debug}); the first time takes some minutes" >&2
if ! swift build -c "${CONFIG:-debug}" "$@" >"$log" 2>&1; then
    grep -E 'error|warning: unre' "$log" | sort -u | head -n 60 >&2 || true
    tail -n 40 "$log" >&2
    exit 1
fi
tail -n 1 "$log" >&2
