#!/usr/bin/env bash
# package-file.sh PACKAGE FILE: prints the path of one program out of a Debian package without installing the package,
# so that no service of that name starts on this machine. FILE is the path inside the package, such as usr/bin/promtool.
set -euo pipefail
package=$1 file=$2
command -v "$(basename "$file")" && exit 0

home=${XDG_CACHE_HOME:-$HOME/.cache}/neap/packages/$package
if [ ! -x "$home/$file" ]; then
    command -v apt-get >/dev/null || { echo "needed and not found: $(basename "$file")" >&2; exit 1; }
    mkdir -p "$home"
    echo "fetching $package" >&2
    (
        cd "$home"
        as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        apt-get download "$package" || { "${as_root[@]}" apt-get update -q && apt-get download "$package"; }
        dpkg-deb --extract "$package"_*.deb .
    ) >"$home/log" 2>&1 || { tail -n 5 "$home/log" >&2; exit 1; }
    rm -f "$home"/*.deb
fi
echo "$home/$file"
