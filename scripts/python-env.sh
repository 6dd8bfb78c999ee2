#!/usr/bin/env bash
# python-env.sh FOLDER REQUIREMENTS: a virtual environment with exactly these pinned packages.
# Done again only when the requirements file changes.
set -euo pipefail
folder=$1 requirements=$2
cd "$(dirname "$0")/.."

want=$(sha256sum <"$requirements")
[ -x "$folder/bin/python" ] && [ "$(cat "$folder/.requirements" 2>/dev/null)" = "$want" ] && exit 0

python3 -c 'import ensurepip, venv' 2>/dev/null || scripts/packages.sh python3 python3-venv
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
python3 -m venv "$folder"
echo "installing Python packages into $folder" >&2
"$folder/bin/pip" install --quiet --disable-pip-version-check --retries 10 --requirement "$requirements"
echo "$want" >"$folder/.requirements"
