#!/usr/bin/env bash
# instructions.sh [options of instructions.py]: user instructions per request and per streamed chunk, counted by valgrind.
# Unlike times they are the same on a busy machine and a quiet one, so that a small regression can be seen on either.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v valgrind >/dev/null && ! scripts/packages.sh valgrind; then
    echo "skipped: instructions are counted with valgrind, which is not installed and could not be"
    exit 0
fi
CONFIG=release scripts/build.sh --product neap
scripts/packages.sh gcc libc6-dev python3
tools=.build/bench
mkdir -p "$tools"
gcc -O2 -Wall -o "$tools/mock" Benchmarks/gateway/tools/mock.c
gcc -O2 -Wall -shared -fPIC -o "$tools/valgrind_sigsuspend.so" Benchmarks/gateway/tools/valgrind_sigsuspend.c
python3 Benchmarks/gateway/instructions.py --neap "$(swift build -c release --show-bin-path)/neap" --tools "$tools" "$@"
