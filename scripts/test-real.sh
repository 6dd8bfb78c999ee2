#!/usr/bin/env bash
# test-real.sh [pytest options]: the gateway in front of llama.cpp and of vLLM on CPU. Parts that cannot be had are
# skipped, with the reason. ENGINES="llama-cpp vllm" picks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh --product neap
scripts/python-env.sh .venv Tests/clients/requirements.txt

models=${XDG_CACHE_HOME:-$HOME/.cache}/neap/models
export NEAP_BINARY=.build/${CONFIG:-debug}/neap REAL_SKIPPED=''
wanted=" ${ENGINES:-llama-cpp vllm} "
skip() { REAL_SKIPPED+="$1: $2; "; echo "skipped: $1: $2" >&2; }

# vLLM's environment also makes the tiny model for both.
if python=$(scripts/real/vllm.sh); then
    [ -e "$models/tiny.gguf" ] || "$python" Tests/real/make_tiny_model.py "$models" >&2
    if [[ $wanted == *" vllm "* ]]; then export REAL_VLLM=$python; else skip vllm "not asked for"; fi
else
    skip vllm "it could not be installed"
fi
if [[ $wanted != *" llama-cpp "* ]]; then
    skip llama-cpp "not asked for"
elif [ ! -e "$models/tiny.gguf" ]; then
    skip llama-cpp "its model could not be made"
elif server=$(scripts/real/llama-cpp.sh); then
    export REAL_LLAMA_CPP=$server
else
    skip llama-cpp "it could not be built"
fi
export REAL_MODELS=$models
timeout --signal=INT --kill-after=60 3000 .venv/bin/python -m pytest -q -s -rs -p no:cacheprovider Tests/real "$@"
