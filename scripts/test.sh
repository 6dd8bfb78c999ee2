#!/usr/bin/env bash
# test.sh STEP...: the steps of the test run, in order; each prints how long it took.
#   lint     Swift formatting, syntax of shell scripts
#   build    one debug build of everything
#   unit     all Swift tests (FILTER picks)
#   clients  official clients and other outside views of the running binary, three kill runs (FILTER picks)
#   kill     a batch under kill -9 (RUNS, default 20), with its figures printed
set -euo pipefail
cd "$(dirname "$0")/.."
export CONFIG=debug

lint() {
    swift format lint --strict --recursive Sources Tests Package.swift
    local script
    while read -r script; do bash -n "$script"; done < <(git ls-files '*.sh' .ci/run)
}
build() { scripts/build.sh --build-tests; }
unit() { timeout --signal=INT --kill-after=60 900 swift test --skip-build --no-parallel ${FILTER:+--filter "$FILTER"}; }
python_tests() { # paths, options
    scripts/python-env.sh .venv Tests/clients/requirements.txt
    NEAP_BINARY=.build/debug/neap timeout --signal=INT --kill-after=60 "${LIMIT:-900}" \
        .venv/bin/python -m pytest -q -p no:cacheprovider "$@"
}
clients() {
    local promtool
    promtool=$(scripts/package-file.sh prometheus usr/bin/promtool) || echo "no promtool: its check is skipped" >&2
    export PATH="$PATH:$(dirname "$promtool")"
    scripts/packages.sh chromium || echo "Chromium cannot be installed: the page tests are skipped" >&2
    RUNS=${RUNS:-3} python_tests Tests/clients Tests/kill ${FILTER:+-k "$FILTER"}
}
kill_runs() { LIMIT=7200 RUNS=${RUNS:-20} python_tests -s Tests/kill; }

for step in "$@"; do
    case $step in
    lint | build | unit | clients) run=$step ;;
    kill) run=kill_runs ;;
    *) echo "test.sh: no step '$step'" >&2; exit 2 ;;
    esac
    echo "== $step"
    began=$SECONDS
    "$run"
    echo "== $step: $((SECONDS - began)) s"
done
