"""What a large batch does to real-time latency when it fills the gaps of a half-loaded pool.

Simulated engines behind one gateway. First the pool's capacity is measured (completions per second with more requests
in flight than it takes); then the same open-loop arrivals at half of that are sent twice, alone and with a batch behind
them. A run in which the machine's CPU was more than half busy is void: it would measure the machine.
"""

import argparse
import asyncio
import datetime
import io
import json
import os
import pathlib
import platform
import random
import shutil
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Tests/python"))

import open_loop  # noqa: E402
from neaptest.processes import World, get, post, request  # noqa: E402

MODEL = "tide"
CHAT = "/v1/chat/completions"
CPU_LIMIT = 0.5


def cpu_times() -> tuple[int, int]:
    """Busy and all ticks of the machine."""
    fields = [int(field) for field in open("/proc/stat").readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def generated(engines) -> float:
    """Output tokens that all engines have made."""
    total = 0.0
    for engine in engines:
        for row in get(engine.port, "/metrics")[2].decode().splitlines():
            if row.startswith("vllm:generation_tokens_total"):
                total += float(row.rsplit(" ", 1)[1])
    return total


def start_batch(gateway, options, seed: int) -> str:
    """Uploads a batch that is larger than the run can finish; its id."""
    chance = random.Random(seed)
    content = io.BytesIO()
    for number in range(options.batch_lines):
        one = open_loop.Plan(0, options.prompt_words, options.output_tokens)
        body = json.loads(open_loop.body_of(one, MODEL, chance))
        row = {"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body}
        content.write(json.dumps(row).encode() + b"\n")
    boundary = uuid.uuid4().hex
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="b.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    ).encode() + content.getvalue() + f"\r\n--{boundary}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    status, _, answer = request("POST", gateway.port, "/v1/files", form, 60, kind)
    assert status == 200, answer
    wanted = {"input_file_id": json.loads(answer)["id"], "endpoint": CHAT, "completion_window": "24h"}
    status, batch = post(gateway.port, "/v1/batches", wanted)
    assert status == 200, batch
    return batch["id"]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def phase(name: str, world: World, gateway, engines, plans, options, with_batch: bool) -> dict:
    batch = start_batch(gateway, options, options.seed + 2) if with_batch else None
    if batch:
        time.sleep(options.settle)
    busy, all_ticks = cpu_times()
    tokens, began = generated(engines), time.monotonic()
    results = asyncio.run(open_loop.run(gateway.port, MODEL, plans, options.seed + 1))
    took = time.monotonic() - began
    made = generated(engines) - tokens
    busy_after, all_after = cpu_times()
    counts = None
    if batch:
        counts = json.loads(get(gateway.port, f"/v1/batches/{batch}")[2])["request_counts"]
        post(gateway.port, f"/v1/batches/{batch}/cancel", {})
    good = [one for one in results if one.status == 200]
    own = sum(one.output_tokens for one in good)
    row = {
        "name": name,
        "requests": len(results),
        "failed": len(results) - len(good),
        "ttft": [1e3 * percentile([one.ttft for one in good], share) for share in (0.5, 0.99)],
        "tpot": [1e3 * percentile([one.tpot for one in good], share) for share in (0.5, 0.99)],
        "realtime": own / took,
        "batch": max(made - own, 0) / took,
        "cpu": (busy_after - busy) / max(all_after - all_ticks, 1),
        "late": 1e3 * percentile([one.late for one in results], 0.99),
        "counts": counts,
    }
    print(json.dumps(row), flush=True)
    return row


def report(rows: list[dict], capacity: float, rate: float, options) -> str:
    void = [row["name"] for row in rows if row["cpu"] > CPU_LIMIT]
    lines = [
        "# The tide: a batch behind half a load",
        "",
        f"{datetime.date.today()}, {os.cpu_count()} cores, Linux {platform.release()}. Command: `make tide`.",
        f"{options.engines} simulated engines, profile `{options.profile}`, speed {options.speed}. Prompts around "
        f"{options.prompt_words} words, answers around {options.output_tokens} tokens, Poisson arrivals, the same in both "
        f"runs. Capacity {capacity:.2f} requests/s (measured with {options.in_flight} in flight); load "
        f"{rate:.2f} requests/s for {options.seconds:.0f} s. Delays are counted from the time a request was due.",
        "",
        "| | requests (failed) | TTFT p50 / p99 ms | TPOT p50 / p99 ms | real-time tok/s | batch tok/s | machine CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['name']} | {row['requests']} ({row['failed']}) | {row['ttft'][0]:.0f} / {row['ttft'][1]:.0f} | "
            f"{row['tpot'][0]:.1f} / {row['tpot'][1]:.1f} | {row['realtime']:.0f} | {row['batch']:.0f} | {row['cpu']:.0%} |"
        )
    late = max(row["late"] for row in rows)
    lines += ["", f"The load generator was at most {late:.1f} ms late (p99)."]
    if void:
        lines += ["", f"**Void**: the machine was more than {CPU_LIMIT:.0%} busy in: {', '.join(void)}."]
    return "\n".join(lines) + "\n"


def measure(world: World, options) -> tuple[str, bool]:
    extra = ("--profile", options.profile)
    engines = [world.engine(*extra, model=MODEL, speed=options.speed) for _ in range(options.engines)]
    gateway = world.gateway([engine.url for engine in engines])
    lengths = open_loop.Lengths(options.prompt_words, options.output_tokens)
    capacity = options.capacity or asyncio.run(
        open_loop.saturate(gateway.port, MODEL, options.in_flight, options.calibrate, lengths, options.seed)
    )
    rate = capacity * options.load
    print(f"capacity {capacity:.2f} requests/s, load {rate:.2f} requests/s", flush=True)
    time.sleep(options.settle)
    plans = open_loop.poisson(rate, options.seconds, lengths, options.seed)
    rows = [
        phase("real-time alone", world, gateway, engines, plans, options, with_batch=False),
        phase("with a batch behind", world, gateway, engines, plans, options, with_batch=True),
    ]
    return report(rows, capacity, rate, options), all(row["cpu"] <= CPU_LIMIT for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", type=int, default=3)
    parser.add_argument("--profile", default="llama-3.1-8b-l4")
    parser.add_argument("--speed", type=float, default=1)
    parser.add_argument("--load", type=float, default=0.5, help="share of capacity")
    parser.add_argument("--capacity", type=float, help="requests/s; measured when absent")
    parser.add_argument("--in-flight", type=int, default=180, help="requests in flight while capacity is measured")
    parser.add_argument("--calibrate", type=float, default=90, help="seconds; capacity is that of the second half")
    parser.add_argument("--seconds", type=float, default=120, help="length of each run")
    parser.add_argument("--settle", type=float, default=20, help="seconds for the pool to empty, or the batch to fill it")
    parser.add_argument("--prompt-words", type=int, default=300)
    parser.add_argument("--output-tokens", type=int, default=100)
    parser.add_argument("--batch-lines", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    world = World(pathlib.Path(tempfile.mkdtemp(prefix="neap-tide-")))
    try:
        text, valid = measure(world, options)
    finally:
        world.close()
        shutil.rmtree(world.folder)
    print(text)
    if not valid:
        sys.exit("void: the machine was too busy; use a slower profile or --speed 0.25")
    options.output.write_text(text)


if __name__ == "__main__":
    main()
