#!/usr/bin/env bash
# run.sh [options of soak.py]: a release build, the load tools, then the soak. About seven minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
CONFIG=release scripts/build.sh --product neap
scripts/packages.sh gcc libc6-dev python3
tools=.build/bench
mkdir -p "$tools"
for tool in mock sse_load; do gcc -O2 -Wall -o "$tools/$tool" "Benchmarks/gateway/tools/$tool.c"; done
ulimit -n "$(ulimit -Hn)"
NEAP_BINARY="$(swift build -c release --show-bin-path)/neap" python3 Benchmarks/soak/soak.py --tools "$tools" "$@"
