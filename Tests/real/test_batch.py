"""A batch through a real engine, end to end, with and without people in front of it."""

import io
import json
import time

from real_engine import MODEL, SLOTS
from traffic import CHAT, first_token_milliseconds, message, spread, until

LINES = 200
TOKENS = 16
ENDED = {"completed", "failed", "expired", "cancelled"}
BATCH_SECONDS = 600


def start(client, count: int, tokens: int, **extra):
    lines = []
    for number in range(count):
        body = {"model": MODEL, "messages": message(f"Number {number}"), "max_tokens": tokens, "temperature": 0, **extra}
        lines.append(json.dumps({"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body}))
    file = client.files.create(file=("b.jsonl", io.BytesIO("\n".join(lines).encode())), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


def ended(client, batch):
    def look():
        now = client.batches.retrieve(batch.id)
        return now if now.status in ENDED else None

    return until(look, BATCH_SECONDS, 0.2)


def rows(client, file_id) -> list[dict]:
    return [json.loads(row) for row in client.files.content(file_id).text.splitlines()] if file_id else []


def test_a_batch_of_200_lines(client, direct, note):
    began = time.monotonic()
    batch = ended(client, start(client, LINES, TOKENS))
    took = time.monotonic() - began
    assert batch and batch.status == "completed", batch
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (LINES, LINES, 0), batch
    assert batch.error_file_id is None
    answers = rows(client, batch.output_file_id)
    assert sorted(row["custom_id"] for row in answers) == sorted(f"line-{number}" for number in range(LINES))
    bodies = {row["custom_id"]: row["response"]["body"] for row in answers}
    for number in (0, LINES // 2, LINES - 1):
        asked = dict(model=MODEL, messages=message(f"Number {number}"), max_tokens=TOKENS, temperature=0)
        want = direct.chat.completions.create(**asked).choices[0].message.content
        assert bodies[f"line-{number}"]["choices"][0]["message"]["content"] == want, number
    tokens = sum(body["usage"]["completion_tokens"] for body in bodies.values())
    note(f"batch of {LINES} lines in {took:.1f} s: {LINES / took:.1f} lines/s, {tokens / took:.0f} tokens/s")


def test_real_time_is_served_while_a_batch_runs(engine, own_world, connect, note):
    gateway = own_world.gateway([engine.url])
    client = connect(gateway.url)
    batch = start(client, LINES, 4 * TOKENS)
    assert until(lambda: engine.running() > 0)
    times, deepest = [], 0.0
    while (now := client.batches.retrieve(batch.id)).status not in ENDED:
        times += first_token_milliseconds(client, MODEL, 1, f"Person {len(times)}")
        deepest = max(deepest, engine.waiting())
    assert (now.request_counts.completed, now.request_counts.failed) == (LINES, 0)
    assert len(times) >= 2, "the batch was over before a second person could ask"
    # Jobs that only wait in the engine would stand before every person, and cannot be taken back unharmed.
    assert deepest <= 2 * SLOTS, f"{deepest} requests waited in an engine of {SLOTS} slots"
    note(f"time to first token with a batch behind it {spread(times)}")
    note(f"the first ones, in ms: {', '.join(f'{one:.0f}' for one in times[:8])}")


def test_a_cancelled_batch_frees_the_engine(engine, client, note):
    """llama.cpp goes on with unstreamed answers whose client has left: there the answers are short enough to end."""
    tokens = 600 if engine.kind == "llama-cpp" else engine.long_answer
    batch = start(client, 40, tokens, ignore_eos=True)
    assert until(lambda: engine.running() > 0)
    client.batches.cancel(batch.id)
    over = ended(client, batch)
    assert over and over.status == "cancelled", over
    began = time.monotonic()
    assert until(lambda: engine.running() == 0 and engine.waiting() == 0, 120), (engine.running(), engine.waiting())
    note(f"engine idle {time.monotonic() - began:.2f} s after a batch was cancelled")
    assert over.request_counts.completed < 40, "it was over before it was cancelled"
    ids = [row["custom_id"] for file in (over.output_file_id, over.error_file_id) for row in rows(client, file)]
    assert sorted(ids) == sorted(f"line-{number}" for number in range(40))
