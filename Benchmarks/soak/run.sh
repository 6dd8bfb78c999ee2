#!/usr/bin/env bash
# run.sh [options of soak.py]: a release build (or NEAP_BINARY), the load tools, then the soak. About seven minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${NEAP_BINARY:-}" ]; then
    CONFIG=release scripts/build.sh --product neap
    NEAP_BINARY=$(swift build -c release --show-bin-path)/neap
fi
export NEAP_BINARY
scripts/packages.sh gcc libc6-dev python3
tools=.build/bench
mkdir -p "$tools"
for tool in mock sse_load; do gcc -O2 -Wall -o "$tools/$tool" "Benchmarks/gateway/tools/$tool.c"; done
ulimit -n "$(ulimit -Hn)"
python3 Benchmarks/soak/soak.py --tools "$tools" "$@"
