#!/usr/bin/env bash
# run.sh [options of tide.py]: a release build, then the measurement. About seven minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
CONFIG=release scripts/build.sh --product neap
scripts/packages.sh python3
NEAP_BINARY="$(swift build -c release --show-bin-path)/neap" python3 Benchmarks/tide/tide.py "$@"
