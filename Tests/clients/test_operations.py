"""Metrics, health, logs and the end of the process, seen from outside."""

import json
import shutil
import subprocess
import threading

import openai
import pytest
from neaptest.processes import get, post, request, samples

MODEL = "tiny"
CHAT = "/v1/chat/completions"


def chat(gateway, **changes):
    body = {"model": MODEL, "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}], **changes}
    return post(gateway.port, CHAT, body)


def test_promtool_finds_nothing_wrong_with_the_metrics(gateway):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    assert chat(gateway)[0] == 200
    status, headers, body = get(gateway.port, "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain")
    check = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=30)
    assert check.returncode == 0 and not check.stderr and not check.stdout, (check.stdout + check.stderr).decode()


def test_promtool_finds_nothing_wrong_with_the_engines_metrics(world):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    body = get(world.engines[0].port, "/metrics")[2]
    check = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=30)
    # The names and types are vLLM's, which the linter does not like everywhere; the text must parse.
    assert b"error while linting" not in check.stderr, check.stderr.decode()


def test_live_and_ready(gateway):
    assert get(gateway.port, "/livez")[0] == 200
    status, _, body = get(gateway.port, "/readyz")
    assert status == 200
    assert json.loads(body)


def test_requests_are_counted_by_outcome(gateway):
    def completed():
        wanted = ("neap_requests_total", f'model="{MODEL}"', 'outcome="completed"')
        return sum(value for series, value in samples(gateway.port).items() if all(one in series for one in wanted))

    before = completed()
    assert chat(gateway)[0] == 200
    assert completed() == before + 1


def test_the_access_log_has_one_line_per_request_and_no_text(own_world):
    engine = own_world.engine()
    gateway = own_world.gateway([engine.url])
    secret = "a very private sentence"
    status, _ = chat(gateway, messages=[{"role": "user", "content": secret}])
    assert status == 200
    gateway.terminate()
    text = gateway.log_path.read_text()
    assert secret not in text
    lines = [json.loads(row) for row in text.splitlines() if row.startswith("{")]
    about = [row for row in lines if row.get("path") == CHAT]
    assert len(about) == 1, text
    assert about[0]["status"] == 200 and about[0]["outcome"] == "completed"


def test_a_drain_cuts_no_request_and_ends_with_zero(own_world):
    engine = own_world.engine("--profile", "llama-3.1-8b-l4", speed=1)
    gateway = own_world.gateway([engine.url])
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    stream = client.chat.completions.create(
        model=MODEL, max_tokens=30, messages=[{"role": "user", "content": "x"}], stream=True,
        extra_body={"ignore_eos": True, "min_tokens": 30},
    )
    chunks = [next(stream)]
    gateway.drain()
    chunks += list(stream)
    assert chunks[-1].choices[0].finish_reason
    assert sum(bool(chunk.choices[0].delta.content) for chunk in chunks) >= 2
    assert gateway.ended() == 0


def test_a_drained_endpoint_gets_no_new_requests(own_world):
    engines = [own_world.engine() for _ in range(2)]
    gateway = own_world.gateway([engine.url for engine in engines])
    status, _, body = get(gateway.port, "/admin/endpoints")
    assert status == 200, body
    first = next(one for one in json.loads(body)["data"] if one["url"] == engines[0].url)
    status, _, body = request("POST", gateway.port, f"/admin/endpoints/{first['id']}/drain", b"")
    assert status in (200, 202, 204), body

    def served():
        text = get(engines[0].port, "/metrics")[2].decode()
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith("vllm:request_success_total"))

    before = served()
    for number in range(8):
        assert chat(gateway, messages=[{"role": "user", "content": f"Number {number}"}])[0] == 200
    assert served() == before


def test_an_engine_that_dies_is_survived(own_world):
    engines = [own_world.engine() for _ in range(2)]
    gateway = own_world.gateway([engine.url for engine in engines])
    engines[0].kill()
    for number in range(12):
        assert chat(gateway, messages=[{"role": "user", "content": f"Number {number}"}])[0] == 200
    engines[1].kill()
    status, body = chat(gateway)
    assert status in (502, 503), body
    assert body["error"]["message"]


def test_parallel_requests_reach_every_engine(own_world):
    engines = [own_world.engine(speed=2) for _ in range(2)]
    gateway = own_world.gateway([engine.url for engine in engines])
    statuses = []
    threads = [
        threading.Thread(
            target=lambda n=n: statuses.append(chat(gateway, messages=[{"role": "user", "content": f"No {n}"}])[0])
        )
        for n in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 32
    for engine in engines:
        text = get(engine.port, "/metrics")[2].decode()
        assert any(
            row.startswith("vllm:request_success_total") and float(row.rsplit(" ", 1)[1]) > 0 for row in text.splitlines()
        )


def test_a_client_that_goes_away_frees_the_engine(own_world):
    engine = own_world.engine("--profile", "llama-3.1-8b-l4", speed=1)
    gateway = own_world.gateway([engine.url])
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    stream = client.chat.completions.create(
        model=MODEL, max_tokens=2000, messages=[{"role": "user", "content": "x"}], stream=True,
        extra_body={"ignore_eos": True},
    )
    next(stream)

    def running():
        text = get(engine.port, "/metrics")[2].decode()
        return next(float(r.rsplit(" ", 1)[1]) for r in text.splitlines() if r.startswith("vllm:num_requests_running"))

    assert running() == 1
    stream.close()
    for _ in range(200):
        if running() == 0:
            break
        threading.Event().wait(0.05)
    assert running() == 0


def test_a_wrong_configuration_names_file_line_and_key(own_world, tmp_path):
    file = tmp_path / "neap.yaml"
    file.write_text("listen:\n  port: 8080\n  ports: 1\n")
    from neaptest.processes import binary

    check = subprocess.run([binary(), "check", "--config", str(file)], capture_output=True, timeout=30, text=True)
    said = check.stdout + check.stderr
    assert check.returncode != 0
    assert "neap.yaml:3" in said and "listen.ports" in said, said
