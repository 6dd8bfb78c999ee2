"""An open-loop load generator for streamed chats.

Requests are sent at times fixed in advance, whether or not earlier ones were answered, and every delay is counted from
the time a request was due, so that a slow server cannot hide behind a waiting client.
"""

import asyncio
import dataclasses
import json
import random
import time

CHAT = "/v1/chat/completions"
WORDS = "tide water moon shore spring neap ebb flow current channel harbour mast sail wind rope anchor".split()


@dataclasses.dataclass
class Plan:
    """One request: when it is due (seconds from the start) and how long it is."""

    due: float
    prompt_words: int
    output_tokens: int


@dataclasses.dataclass
class Result:
    """One answered or failed request. Times in seconds; `status` 0: no answer."""

    due: float
    status: int = 0
    ttft: float = 0
    tpot: float = 0
    output_tokens: int = 0
    finished: float = 0
    late: float = 0


@dataclasses.dataclass
class Lengths:
    """Mean lengths of requests; single ones spread log-normally around them (sigma 0.6)."""

    prompt_words: int
    output_tokens: int

    def draw(self, chance: random.Random, due: float = 0) -> Plan:
        return Plan(due, self.spread(chance, self.prompt_words, 16), self.spread(chance, self.output_tokens, 8))

    @staticmethod
    def spread(chance: random.Random, mean: float, least: int) -> int:
        sigma = 0.6
        return int(min(max(mean * chance.lognormvariate(-sigma * sigma / 2, sigma), least), 4 * mean))


def poisson(rate: float, seconds: float, lengths: Lengths, seed: int) -> list[Plan]:
    """Arrivals at `rate` per second on average, independent of each other."""
    chance = random.Random(seed)
    plans, due = [], 0.0
    while (due := due + chance.expovariate(rate)) < seconds:
        plans.append(lengths.draw(chance, due))
    return plans


def body_of(plan: Plan, model: str, chance: random.Random) -> bytes:
    text = " ".join(chance.choice(WORDS) for _ in range(plan.prompt_words))
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": plan.output_tokens}
    return json.dumps(body | {"min_tokens": plan.output_tokens, "ignore_eos": True}).encode()


async def stream(port: int, content: bytes, due_at: float, result: Result, began: float) -> None:
    """Sends one request and reads its stream to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        result.late = time.monotonic() - due_at
        writer.write(head.encode() + content)
        status_line = await reader.readline()
        result.status = int(status_line.split()[1])
        first = last = 0.0
        tokens = 0
        while piece := await reader.readline():
            if not piece.startswith(b"data: {"):
                continue
            now = time.monotonic()
            event = json.loads(piece[6:])
            if usage := event.get("usage"):
                result.output_tokens = usage["completion_tokens"]
            if event.get("choices") and event["choices"][0]["delta"].get("content"):
                first, last, tokens = first or now, now, tokens + 1
        result.finished = time.monotonic() - began
        result.output_tokens = result.output_tokens or tokens
        if first:
            result.ttft = first - due_at
            result.tpot = (last - first) / max(result.output_tokens - 1, 1)
        elif result.status == 200:
            result.status = 0
    except (OSError, ValueError, asyncio.IncompleteReadError):
        result.status = 0
    finally:
        writer.close()


async def run(port: int, model: str, plans: list[Plan], seed: int) -> list[Result]:
    """Sends every request when it is due; returns when all are answered."""
    chance = random.Random(seed)
    contents = [streamed(body_of(one, model, chance)) for one in plans]
    results = [Result(one.due) for one in plans]
    began = time.monotonic()
    tasks = []
    for one, content, result in zip(plans, contents, results):
        await asyncio.sleep(max(0, began + one.due - time.monotonic()))
        tasks.append(asyncio.create_task(stream(port, content, began + one.due, result, began)))
    await asyncio.gather(*tasks)
    return results


async def saturate(port: int, model: str, in_flight: int, seconds: float, lengths: Lengths, seed: int) -> float:
    """Requests completed per second with `in_flight` always in the air, over the second half of `seconds`."""
    chance = random.Random(seed)
    began = time.monotonic()
    done: list[float] = []

    async def one_after_the_other() -> None:
        while time.monotonic() - began < seconds:
            result = Result(0)
            content = streamed(body_of(lengths.draw(chance), model, chance))
            await stream(port, content, time.monotonic(), result, began)
            if result.status == 200:
                done.append(result.finished)
            else:
                await asyncio.sleep(0.2)

    tasks = [asyncio.create_task(one_after_the_other()) for _ in range(in_flight)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    half = seconds / 2
    return sum(1 for finished in done if half <= finished < seconds) / half


def streamed(content: bytes) -> bytes:
    return content[:-1] + b', "stream": true, "stream_options": {"include_usage": true}}'
