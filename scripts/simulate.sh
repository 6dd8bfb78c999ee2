#!/usr/bin/env bash
# simulate.sh SEEDS [FIRST]: so many seeds of made-up traffic, faults and jobs in virtual time, with every policy. Ends
# with 1 at a broken rule, whose command it prints.
# NEAP_BINARY  a binary to use instead of building one
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=$1
first=${2:-1}
neap=${NEAP_BINARY:-.build/${CONFIG:-debug}/neap}
[[ -n ${NEAP_BINARY:-} ]] || scripts/build.sh --product neap >&2
# Less than an engine has room for, and many times that: with and without queues.
rates=(5 20 200)
output=$(mktemp)
trap 'rm -f "$output"' EXIT

failed=0
for ((seed = first; seed < first + seeds; seed++)); do
    keys="requests=60,jobs=20,rate=${rates[seed % 3]},cv=2,turns=2,pause=2,groups=4,cancelled=0.1"
    command=(simulate --trace "synthetic:$keys" --endpoints "$((1 + seed % 4))" --faults "random:$((1 + seed % 5))"
        --seed "$seed" --policy all)
    if ! "$neap" "${command[@]}" >"$output" 2>&1; then
        failed=$((failed + 1))
        cat "$output"
        echo "seed $seed failed: neap ${command[*]}"
    fi
done
echo "$seeds seeds from $first: $failed failed"
((failed == 0))
