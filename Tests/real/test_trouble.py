"""Clients that leave and engines that die. The last tests kill the engine, so this file comes last."""

import time

import openai
import pytest
from neaptest.processes import request, samples
from real_engine import MODEL, SLOTS
from traffic import OpenRequests, message, until

RETURN_SECONDS = 400


def going_on(engine, **extra) -> dict:
    body = {"model": MODEL, "messages": message("Go on"), "max_tokens": engine.long_answer, "temperature": 0}
    return {**body, "ignore_eos": True, **extra}


def free_after_milliseconds(engine) -> float:
    began = time.monotonic()
    assert until(lambda: engine.running() == 0, 10, 0.005), engine.running()
    return (time.monotonic() - began) * 1e3


def test_a_client_that_goes_away_frees_the_slot(engine, client, note):
    took = []
    for _ in range(5):
        settings = going_on(engine, stream=True)
        settings["extra_body"] = {"ignore_eos": settings.pop("ignore_eos")}
        stream = client.chat.completions.create(**settings)
        next(stream)
        assert engine.running() == 1
        stream.close()
        took.append(free_after_milliseconds(engine))
    note(f"slot free after a stream's client left: {', '.join(f'{one:.0f}' for one in took)} ms")


def test_a_client_that_goes_away_before_an_unstreamed_answer_frees_the_slot(engine, gateway, note):
    if engine.kind == "llama-cpp":
        pytest.skip("llama.cpp goes on with an unstreamed answer whose client has left, without a gateway too")
    took = []
    for _ in range(5):
        load = OpenRequests(gateway.port, [going_on(engine)])
        assert until(lambda: engine.running() == 1, 10, 0.005), engine.running()
        load.hang_up()
        took.append(free_after_milliseconds(engine))
    note(f"slot free after an unstreamed request's client left: {', '.join(f'{one:.0f}' for one in took)} ms")


def test_clients_that_leave_the_engines_queue_leave_it_empty(engine, gateway, shown):
    load = OpenRequests(gateway.port, [going_on(engine, stream=True) for _ in range(3 * SLOTS)])
    try:
        assert until(lambda: engine.running() == SLOTS), engine.running()
    finally:
        load.hang_up()
    assert until(lambda: engine.running() == engine.waiting() == 0), (engine.running(), engine.waiting())
    assert until(lambda: shown(gateway, engine)["in_flight"] == {"realtime": 0, "async": 0})


class Pair:
    """The engine and another one of the same model behind a gateway of their own."""

    def __init__(self, engine, other, gateway, client, shown):
        self.engine, self.other, self.gateway, self.client, self.shown = engine, other, gateway, client, shown

    def drain(self, one, word: str) -> None:
        number = self.shown(self.gateway, one)["id"]
        answer = request("POST", self.gateway.port, f"/admin/endpoints/{number}/{word}", b"")
        assert answer[0] == 200, answer

    def chat(self, number: int) -> None:
        settings = dict(model=MODEL, messages=message(f"Number {number}"), max_tokens=4)
        assert self.client.chat.completions.create(**settings).choices[0].message.content

    def break_a_stream(self, kill) -> Exception:
        """Kills in the middle of a stream of the engine; what its client sees."""
        self.drain(self.other, "drain")
        stream = self.client.chat.completions.create(
            model=MODEL, messages=message("Go on"), max_tokens=self.engine.long_answer, temperature=0, stream=True,
            extra_body={"ignore_eos": True},
        )
        chunks = [next(stream) for _ in range(3)]
        self.drain(self.other, "undrain")
        kill()
        with pytest.raises(openai.OpenAIError) as seen:
            chunks += list(stream)
        assert not any(chunk.choices[0].finish_reason for chunk in chunks if chunk.choices)
        return seen.value

    def is_out(self) -> bool:
        return self.shown(self.gateway, self.engine)["state"] == "ejected"

    def outcomes(self, *names: str) -> float:
        return sum(
            value for series, value in samples(self.gateway.port).items()
            if series.startswith("neap_requests_total") and any(f'outcome="{name}"' in series for name in names)
        )

    def come_back(self) -> tuple[float, int]:
        """Starts the engine again. Seconds until it is in rotation, and requests meanwhile, of which none may fail."""
        assert self.is_out() or until(self.is_out, 60)
        self.engine.spawn()
        began, asked = time.monotonic(), 0
        while self.shown(self.gateway, self.engine)["state"] != "healthy":
            assert time.monotonic() - began < RETURN_SECONDS, self.engine.tail()
            self.chat(asked)
            asked += 1
            time.sleep(0.2)
        assert self.engine.is_ready(), "it was let back in before it was ready"
        took = time.monotonic() - began
        self.drain(self.other, "drain")
        self.chat(0)
        self.drain(self.other, "undrain")
        return took, asked


@pytest.fixture
def pair(engine, neighbour, own_world, connect, shown):
    other = neighbour()
    gateway = own_world.gateway([engine.url, other.url])
    return Pair(engine, other, gateway, connect(gateway.url), shown)


def test_an_engine_whose_core_dies_is_an_error_to_its_client(engine, pair, note):
    """vLLM's server outlives its core for a moment: it says in the stream what happened, and answers 500 to whoever comes
    before it is out of rotation. The gateway must not try such a request elsewhere: it may be what killed the core."""
    if engine.kind == "llama-cpp":
        pytest.skip("llama.cpp is one process")
    seen = pair.break_a_stream(engine.kill_core)
    assert pair.outcomes("engine_stream_error", "engine_truncated", "engine_reset") == 1
    refused = 0
    end = time.monotonic() + 60
    while not pair.is_out():
        assert time.monotonic() < end
        try:
            pair.chat(refused)
        except openai.InternalServerError:
            refused += 1
    assert refused <= 10, "five in a row are enough to know"
    for number in range(12):
        pair.chat(number)
    note(f"a core killed in a stream: its client sees {type(seen).__name__}: {str(seen)[:120]}; {refused} got a 500 after it")
    engine.kill()
    took, asked = pair.come_back()
    note(f"back in rotation {took:.1f} s after its start; {asked} requests meanwhile, none failed")


def test_an_engine_that_dies_is_an_error_to_its_client(engine, pair, note):
    seen = pair.break_a_stream(engine.kill)
    assert pair.outcomes("engine_truncated", "engine_reset") == 1
    for number in range(12):
        pair.chat(number)
    note(f"an engine killed in a stream: its client sees {type(seen).__name__}: {str(seen)[:120]}")
    took, asked = pair.come_back()
    note(f"back in rotation {took:.1f} s after its start; {asked} requests meanwhile, none failed")
