#!/usr/bin/env bash
# test-real.sh [pytest options]: the gateway in front of llama.cpp and of vLLM on CPU. Parts that cannot be had are
# skipped, with the reason. ENGINES="llama-cpp vllm" picks.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${NEAP_BINARY:-}" ] || scripts/build.sh --product neap
scripts/python-env.sh .venv Tests/clients/requirements.txt

home=${XDG_CACHE_HOME:-$HOME/.cache}/neap
maker=Tests/real/make_tiny_model.py
# Made again when the recipe changes.
models=$home/models-$(sha256sum "$maker" | cut -c 1-12)
mkdir -p "$models"
export NEAP_BINARY=${NEAP_BINARY:-.build/${CONFIG:-debug}/neap} REAL_MODELS=$models REAL_SKIPPED=''
wanted=" ${ENGINES:-llama-cpp vllm} "
skip() { REAL_SKIPPED+="$1: $2; "; echo "skipped: $1: $2" >&2; }
make_model() { # python, kind, path: whole or not at all
    [ -e "$3" ] && return 0
    rm -rf "$3.part"
    "$1" "$maker" "$2" "$3.part" >"$models/log" 2>&1 && mv "$3.part" "$3" || { tail -n 10 "$models/log" >&2; return 1; }
}

if [[ $wanted != *" llama-cpp "* ]]; then
    skip llama-cpp "not asked for"
elif ! server=$(scripts/real/llama-cpp.sh); then
    skip llama-cpp "it could not be built"
elif ! { scripts/python-env.sh "$home/model-env" scripts/real/model-requirements.txt &&
    make_model "$home/model-env/bin/python" gguf "$models/tiny.gguf"; }; then
    skip llama-cpp "its model could not be made"
else
    export REAL_LLAMA_CPP=$server
fi
if [[ $wanted != *" vllm "* ]]; then
    skip vllm "not asked for"
elif ! python=$(scripts/real/vllm.sh); then
    skip vllm "it could not be installed"
elif ! make_model "$python" folder "$models/tiny"; then
    skip vllm "its model could not be made"
else
    export REAL_VLLM=$python
fi
timeout --signal=INT --kill-after=60 3000 .venv/bin/python -m pytest -q -rs -p no:cacheprovider Tests/real "$@"
