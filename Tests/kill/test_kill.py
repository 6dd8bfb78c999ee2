"""A batch whose gateway and engines are killed at random moments: nothing is lost, nothing is answered twice.

RUNS (3) runs of LINES (2,000) lines each. A failure prints its seed; SEED=n repeats one run.
"""

import io
import json
import os
import random
import threading
import time

import openai
import pytest
from neaptest.processes import get

RUNS = int(os.environ.get("RUNS", "3"))
LINES = int(os.environ.get("LINES", "2000"))
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(1, RUNS + 1))
GATEWAY_KILLS = 3
ENGINE_KILLS = 2
RECOVERY_SECONDS = 5
BATCH_SECONDS = 240
CHAT = "/v1/chat/completions"


def content(chance: random.Random) -> bytes:
    def line(number: int) -> dict:
        message = {"role": "user", "content": f"Number {number} " + "and more words " * chance.randrange(20)}
        body = {"model": "tiny", "max_tokens": chance.randrange(4, 40), "messages": [message]}
        return {"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body}

    return b"".join(json.dumps(line(number)).encode() + b"\n" for number in range(LINES))


def client(gateway) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=20)


def settled(batch) -> int:
    return batch.request_counts.completed + batch.request_counts.failed


def restart(gateway, batch_id: str) -> float:
    """Kills the gateway, starts it again; seconds from the start until it has settled another line."""
    before = settled(client(gateway).batches.retrieve(batch_id))
    gateway.kill()
    began = time.monotonic()
    gateway.start()
    while True:
        batch = client(gateway).batches.retrieve(batch_id)
        taken = time.monotonic() - began
        if batch.status != "in_progress" or settled(batch) > before:
            return taken
        assert taken < 60, f"no progress after a restart: {batch}"
        time.sleep(0.02)


def kill_engines(engines, chance: random.Random, stop: threading.Event) -> None:
    """Kills an engine at a random moment and brings it back, some times; one at a time, so that one is always up."""
    for _ in range(ENGINE_KILLS):
        if stop.wait(chance.uniform(0.5, 3)):
            return
        engine = chance.choice(engines)
        engine.kill()
        stop.wait(chance.uniform(0.2, 1))
        engine.start()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_under_kill_9(own_world, seed):
    chance = random.Random(seed)
    engines = [own_world.engine(speed=10) for _ in range(2)]
    gateway = own_world.gateway([engine.url for engine in engines])
    file = client(gateway).files.create(file=("b.jsonl", io.BytesIO(content(chance))), purpose="batch")
    batch = client(gateway).batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    stop = threading.Event()
    engine_kills = threading.Thread(target=kill_engines, args=(engines, random.Random(seed), stop))
    engine_kills.start()
    recoveries = []
    began = time.monotonic()
    try:
        for _ in range(GATEWAY_KILLS):
            time.sleep(chance.uniform(0.05, 2.5))
            recoveries.append(restart(gateway, batch.id))
        while (batch := client(gateway).batches.retrieve(batch.id)).status not in {"completed", "failed", "expired"}:
            assert time.monotonic() - began < BATCH_SECONDS, f"seed {seed}: {batch}\n{gateway.tail()}"
            time.sleep(0.1)
    finally:
        stop.set()
        engine_kills.join()
    rows = [
        json.loads(row)
        for file_id in (batch.output_file_id, batch.error_file_id) if file_id
        for row in client(gateway).files.content(file_id).text.splitlines()
    ]
    ids = [row["custom_id"] for row in rows]
    took = time.monotonic() - began
    failed = batch.request_counts.failed
    print(
        f"\nseed {seed}: {LINES} lines in {took:.1f} s, lost {LINES - len(set(ids))}, twice {len(ids) - len(set(ids))}, "
        f"failed {failed}, recovery s {', '.join(f'{one:.2f}' for one in recoveries)}"
    )
    assert batch.status == "completed", f"seed {seed}: {batch}"
    assert sorted(ids) == sorted(f"line-{number}" for number in range(LINES)), f"seed {seed}"
    assert failed == 0, f"seed {seed}"
    assert max(recoveries) <= RECOVERY_SECONDS, f"seed {seed}: {recoveries}"


def state(gateway, engine) -> str:
    rows = json.loads(get(gateway.port, "/admin/endpoints")[2])["data"]
    return next(row["state"] for row in rows if row["url"] == engine.url)


def await_state(gateway, engine, wanted: str) -> None:
    end = time.monotonic() + 60
    while (now := state(gateway, engine)) != wanted:
        assert time.monotonic() < end, f"{engine.url} is {now}, not {wanted}"
        time.sleep(0.1)


def test_a_batch_goes_on_after_every_engine_was_restarted(own_world):
    """Each leaves the rotation in turn. No real-time request brings them back: jobs alone must."""
    engines = [own_world.engine("--profile", "llama-3.1-8b-l4", speed=2) for _ in range(2)]
    gateway = own_world.gateway([engine.url for engine in engines])
    lines = content(random.Random(1))
    file = client(gateway).files.create(file=("b.jsonl", io.BytesIO(lines)), purpose="batch")
    batch = client(gateway).batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    for engine in engines:
        await_state(gateway, engine, "healthy")
        engine.kill()
        await_state(gateway, engine, "ejected")
        engine.start()
    assert client(gateway).batches.retrieve(batch.id).status == "in_progress", "it was over too soon to show anything"
    end = time.monotonic() + BATCH_SECONDS
    while (batch := client(gateway).batches.retrieve(batch.id)).status in ("in_progress", "finalizing"):
        assert time.monotonic() < end, batch
        time.sleep(0.1)
    assert (batch.status, batch.request_counts.completed) == ("completed", LINES), batch
