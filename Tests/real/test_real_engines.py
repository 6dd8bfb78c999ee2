"""What only a real model server can show: its metrics are understood, an abort frees its slot, answers pass unchanged."""

import io
import json
import subprocess
import time

from neaptest.processes import binary, get

MODEL = "tiny"
CHAT = "/v1/chat/completions"
KINDS = {"llama-cpp": "llamacpp", "vllm": "vllm"}
BATCH_LINES = 200


def message(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def test_the_engine_is_recognised_by_its_metrics(engine, gateway):
    for _ in range(100):
        (endpoint,) = json.loads(get(gateway.port, "/admin/endpoints")[2])["data"]
        if endpoint["kind"] == KINDS[engine.kind]:
            break
        time.sleep(0.1)
    assert endpoint["kind"] == KINDS[engine.kind], endpoint
    assert endpoint["running"] == 0 and endpoint["waiting"] == 0, endpoint


def test_check_names_the_metric_family(engine):
    run = subprocess.run([binary(), "check", "--engine", engine.url], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    (row,) = [row for row in run.stdout.splitlines() if engine.url in row]
    assert KINDS[engine.kind] in row.split() and MODEL in row.split(), row


def test_chat_and_stream_give_the_engines_answer(engine, client):
    import openai

    direct = openai.OpenAI(base_url=f"{engine.url}/v1", api_key="none", max_retries=0, timeout=120)
    settings = dict(model=MODEL, messages=message("Tell me about tides"), max_tokens=24, temperature=0)
    want = direct.chat.completions.create(**settings).choices[0].message.content
    assert client.chat.completions.create(**settings).choices[0].message.content == want
    chunks = list(client.chat.completions.create(**settings, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == want
    assert chunks[-1].usage.completion_tokens > 0


def test_a_client_that_goes_away_frees_the_slot(engine, client):
    stream = client.chat.completions.create(
        model=MODEL, messages=message("Go on"), max_tokens=engine.long_answer, temperature=0, stream=True,
        extra_body={"ignore_eos": True},
    )
    next(stream)
    assert engine.running() == 1
    began = time.monotonic()
    stream.close()
    while engine.running() > 0 and time.monotonic() - began < 10:
        time.sleep(0.005)
    took = time.monotonic() - began
    assert engine.running() == 0
    print(f"\n{engine.kind}: slot free after {took * 1e3:.0f} ms")


def test_a_batch_of_200_lines(engine, client):
    lines = []
    for number in range(BATCH_LINES):
        body = {"model": MODEL, "messages": message(f"Number {number}"), "max_tokens": 16, "temperature": 0}
        lines.append(json.dumps({"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body}))
    file = client.files.create(file=("b.jsonl", io.BytesIO("\n".join(lines).encode())), purpose="batch")
    began = time.monotonic()
    batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    while batch.status not in {"completed", "failed", "expired", "cancelled"}:
        assert time.monotonic() - began < 600, batch
        time.sleep(0.2)
        batch = client.batches.retrieve(batch.id)
    took = time.monotonic() - began
    assert batch.status == "completed", batch
    assert batch.request_counts.completed == BATCH_LINES, batch
    rows = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    assert sorted(row["custom_id"] for row in rows) == sorted(f"line-{number}" for number in range(BATCH_LINES))
    tokens = sum(row["response"]["body"]["usage"]["completion_tokens"] for row in rows)
    print(f"\n{engine.kind}: {BATCH_LINES} lines in {took:.1f} s, {tokens / took:.0f} tokens/s")
