"""The gateway knows what engine it talks to and reads its figures."""

import subprocess

from neaptest.processes import binary, samples
from real_engine import KINDS, MODEL, SLOTS
from traffic import OpenRequests, message, until

REQUESTS = 3 * SLOTS


def counters(gateway) -> dict[str, float]:
    totals: dict[str, float] = {}
    for series, value in samples(gateway.port).items():
        name = series.partition("{")[0]
        totals[name] = totals.get(name, 0) + value
    return totals


def test_the_engine_is_recognised_by_its_metrics(engine, gateway, shown):
    # A scrape that a busy machine delayed is a fault until the next one.
    endpoint = until(lambda: (row := shown(gateway, engine))["fault"] is None and row)
    assert endpoint, shown(gateway, engine)
    assert (endpoint["kind"], endpoint["state"], endpoint["models"]) == (KINDS[engine.kind], "healthy", [MODEL])


def test_check_names_the_metric_family(engine):
    run = subprocess.run([binary(), "check", "--engine", engine.url], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    (row,) = [row for row in run.stdout.splitlines() if engine.url in row]
    assert KINDS[engine.kind] in row.split() and MODEL in row.split(), row


def test_the_cache_configuration_is_the_engines(engine, gateway, shown):
    endpoint = shown(gateway, engine)
    if engine.kind == "llama-cpp":  # tells nothing of its cache
        assert endpoint["kv_blocks"] is endpoint["kv_block_tokens"] is endpoint["kv_use"] is None
        return
    ((labels, _),) = engine.series("vllm:cache_config_info")
    assert endpoint["kv_block_tokens"] == int(labels["block_size"]) > 0
    assert endpoint["kv_blocks"] * endpoint["kv_block_tokens"] == int(labels["kv_cache_size_tokens"]) > 0


def test_the_figures_follow_the_load(engine, gateway, shown, note):
    """More streams than the engine has slots: it runs its four and queues the rest, and the gateway sees both."""
    idle = until(lambda: (row := shown(gateway, engine))["running"] == row["waiting"] == 0 and row)
    assert idle, shown(gateway, engine)
    body = {"model": MODEL, "messages": message("Go on"), "max_tokens": engine.long_answer, "temperature": 0}
    load = OpenRequests(gateway.port, [{**body, "stream": True, "ignore_eos": True} for _ in range(REQUESTS)])
    try:
        busy = until(lambda: (row := shown(gateway, engine))["running"] == SLOTS and row["waiting"] and row)
        assert busy, f"{shown(gateway, engine)}; the engine runs {engine.running()}, queues {engine.waiting()}"
        assert busy["waiting"] <= REQUESTS - SLOTS
        assert busy["in_flight"]["realtime"] >= busy["running"]
        if engine.kind == "vllm":
            assert 0 < busy["kv_use"] < 1
        note(f"under {REQUESTS} streams: running {busy['running']}, waiting {busy['waiting']}, KV use {busy['kv_use']}")
    finally:
        load.hang_up()
    calm = until(lambda: (row := shown(gateway, engine))["running"] == row["waiting"] == 0 and row)
    assert calm, shown(gateway, engine)
    assert calm["in_flight"] == {"realtime": 0, "async": 0}
    assert not calm["kv_use"]


def test_prefix_hits_are_read(engine, gateway, client, shown, note):
    """The same long prompt twice. vLLM tells hits in its metrics and in each answer, llama.cpp in each answer only."""
    prompt = message("What is said twice is found again. " * 40)
    before = shown(gateway, engine), counters(gateway)
    usages = [
        client.chat.completions.create(model=MODEL, messages=prompt, max_tokens=2, temperature=0).usage
        for _ in range(2)
    ]
    cached = [usage.prompt_tokens_details.cached_tokens or 0 for usage in usages]
    assert cached[1] > usages[1].prompt_tokens // 2, usages
    after = counters(gateway)
    name = "neap_cached_prompt_tokens_total"
    assert after[name] - before[1].get(name, 0) == sum(cached)
    note(f"prefix: {cached[1]} of {usages[1].prompt_tokens} prompt tokens found")
    if engine.kind == "llama-cpp":
        assert before[0]["prefix_hit_tokens"] is None
        return
    hits = lambda: engine.figure("vllm:prefix_cache_hits_total")  # noqa: E731
    seen = until(lambda: (row := shown(gateway, engine))["prefix_hit_tokens"] == hits() and row)
    assert seen, (shown(gateway, engine), hits())
    assert seen["prefix_hit_tokens"] - before[0]["prefix_hit_tokens"] == sum(cached)
    assert seen["prefix_queried_tokens"] == engine.figure("vllm:prefix_cache_queries_total")
