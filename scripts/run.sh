#!/usr/bin/env bash
# run.sh: three simulated engines and the gateway on this machine, until Ctrl-C.
# PORT     the gateway's port (8080, or the next free one)
# DATA     its data folder (a temporary one, removed at the end)
# ENGINES  how many engines (3)      PROFILE, SPEED  what they pretend to be
# NEAP_BINARY  a binary to use instead of building one
set -euo pipefail
cd "$(dirname "$0")/.."

model=llama-3.1-8b
engines=${ENGINES:-3}
folder=$(mktemp -d)
data=${DATA:-$folder/data}
pids=()

stop() {
    # Nothing may cut this short: neither a second Ctrl-C, nor a terminal that is gone and takes no more words.
    set +e
    trap '' HUP INT TERM PIPE
    trap - EXIT
    echo
    echo stopping
    local index # the gateway was started last: what runs there may end while its engines still answer
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do end "${pids[index]}"; done
    rm -rf "$folder"
}
end() { # pid: asks it to end, after five seconds to end at once, and then makes it
    local signal tries
    for signal in TERM TERM KILL; do
        kill -"$signal" "$1" || break
        for ((tries = 0; tries < 50; tries++)); do kill -0 "$1" || break; sleep 0.1; done
    done
    wait "$1"
} 2>/dev/null
trap 'stop; exit 0' HUP INT TERM
trap stop EXIT

free_port() { # from where to look
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}
answers() { # port, path: true when the answer is 200
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    read -r -t 5 line <&3 || line=
    exec 3>&- 3<&-
    [[ $line == *" 200 "* ]]
} 2>/dev/null
start() { # name, port, path to wait for, command...
    local name=$1 port=$2 path=$3 tries
    shift 3
    "$@" >"$folder/$name.log" 2>&1 &
    pids+=($!)
    for ((tries = 0; tries < 300; tries++)); do
        answers "$port" "$path" && return 0
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$name did not start: $*" >&2
    tail -n 20 "$folder/$name.log" >&2
    exit 1
}

if [ -z "${NEAP_BINARY:-}" ]; then
    scripts/build.sh --product neap
    NEAP_BINARY=$(swift build -c "${CONFIG:-debug}" --show-bin-path)/neap
fi

arguments=()
next=18001
for ((number = 1; number <= engines; number++)); do
    port=$(free_port "$next")
    next=$((port + 1))
    start "engine-$number" "$port" /health \
        "$NEAP_BINARY" engine --port "$port" --model "$model" --profile "${PROFILE:-llama-3.1-8b-h100}" --speed "${SPEED:-1}"
    arguments+=(--engine "http://127.0.0.1:$port")
done
port=$(free_port "${PORT:-8080}")
start gateway "$port" /readyz "$NEAP_BINARY" serve "${arguments[@]}" --port "$port" --data "$data"

for ((number = 1; number <= 20; number++)); do
    printf '{"custom_id": "line-%d", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "%s", "max_tokens": 64, "messages": [{"role": "user", "content": "Story number %d"}]}}\n' \
        "$number" "$model" "$number"
done >"$folder/batch.jsonl"

url=http://127.0.0.1:$port
cat <<TEXT
Neap is up: $engines simulated engines (${PROFILE:-llama-3.1-8b-h100}, model $model) behind one gateway.

  gateway   $url        (OpenAI base URL: $url/v1)
  page      $url/
  metrics   $url/metrics
  logs      $folder/*.log

A chat, streamed:

  curl -N $url/v1/chat/completions -H 'content-type: application/json' -d '{"model": "$model", "stream": true, "max_tokens": 48, "messages": [{"role": "user", "content": "Hello"}]}'

A batch: upload a file, create, poll, download (a file of 20 lines is ready):

  FILE=\$(curl -s $url/v1/files -F purpose=batch -F file=@$folder/batch.jsonl | grep -o 'file-[A-Za-z0-9_-]*' | head -n 1)
  BATCH=\$(curl -s $url/v1/batches -H 'content-type: application/json' -d "{\"input_file_id\": \"\$FILE\", \"endpoint\": \"/v1/chat/completions\", \"completion_window\": \"24h\"}" | grep -o 'batch_[A-Za-z0-9_-]*' | head -n 1)
  curl -s $url/v1/batches/\$BATCH
  curl -s $url/v1/files/\$(curl -s $url/v1/batches/\$BATCH | grep -o '"output_file_id": *"[^"]*"' | cut -d '"' -f 4)/content

Ctrl-C stops everything.
TEXT

wait -n "${pids[@]}" || true
echo "a process ended by itself; the end of the logs:" >&2
tail -n 5 "$folder"/*.log >&2
exit 1
