"""Files and batches with the official client."""

import io
import json
import time

import openai
import pytest

MODEL = "tiny"
CHAT = "/v1/chat/completions"
ENDED = {"completed", "failed", "expired", "cancelled"}


def line(number: int, **changes) -> dict:
    body = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": f"Number {number}"}]}
    return {"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body, **changes}


def jsonl(lines: list) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def upload(client, content: bytes, name: str = "batch.jsonl"):
    return client.files.create(file=(name, io.BytesIO(content)), purpose="batch")


def start(client, content: bytes, **settings):
    file = upload(client, content)
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h", **settings)


def wait(client, batch, seconds: float = 60):
    """Polls as a client would, to the batch's end."""
    deadline = time.monotonic() + seconds
    while batch.status not in ENDED:
        assert time.monotonic() < deadline, batch
        time.sleep(0.1)
        batch = client.batches.retrieve(batch.id)
    return batch


def rows(client, file_id) -> list[dict]:
    return [json.loads(row) for row in client.files.content(file_id).text.splitlines()]


def test_a_file_comes_back_byte_for_byte(client):
    content = jsonl([line(1)]) + '{"x": "é ü 漢字"}'.encode() + b"\r\n"
    file = upload(client, content)
    assert (file.object, file.purpose, file.bytes, file.filename) == ("file", "batch", len(content), "batch.jsonl")
    assert client.files.retrieve(file.id).bytes == len(content)
    assert client.files.content(file.id).read() == content
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_files_are_listed_over_several_pages(client):
    made = [upload(client, jsonl([line(number)])).id for number in range(5)]
    listed = [file.id for file in client.files.list(limit=2, purpose="batch")]
    assert set(made) <= set(listed)
    assert len(listed) == len(set(listed))
    page = client.files.list(limit=2)
    assert len(page.data) == 2 and page.has_next_page()


def test_a_batch_from_upload_to_download(client):
    count = 40
    batch = start(client, jsonl([line(number) for number in range(count)]), metadata={"run": "test"})
    assert batch.status in {"validating", "in_progress", "finalizing", "completed"}
    assert batch.metadata == {"run": "test"}
    batch = wait(client, batch)
    assert batch.status == "completed", batch
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (count, count, 0)
    assert batch.error_file_id is None
    answers = rows(client, batch.output_file_id)
    assert sorted(row["custom_id"] for row in answers) == sorted(f"line-{number}" for number in range(count))
    for row in answers:
        assert row["error"] is None
        assert row["response"]["status_code"] == 200
        assert row["response"]["body"]["choices"][0]["message"]["content"]
        assert row["response"]["body"]["usage"]["completion_tokens"] <= 5
    assert len({row["id"] for row in answers}) == count


def test_batches_are_listed_over_several_pages(client):
    made = [wait(client, start(client, jsonl([line(1)]))).id for _ in range(5)]
    listed = [batch.id for batch in client.batches.list(limit=2)]
    assert set(made) <= set(listed)
    assert len(listed) == len(set(listed))
    newest_first = [batch for batch in listed if batch in made]
    assert newest_first == made[::-1]


def test_windows_line_ends_and_a_missing_final_newline_are_accepted(client):
    content = jsonl([line(1), line(2)]).replace(b"\n", b"\r\n").rstrip()
    batch = wait(client, start(client, content))
    assert (batch.status, batch.request_counts.completed) == ("completed", 2)


def test_a_line_that_the_engine_refuses_is_in_the_error_file(client):
    bad = line(2)
    bad["body"]["max_tokens"] = -5
    batch = wait(client, start(client, jsonl([line(1), bad])))
    assert batch.status == "completed"
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 1)
    (failed,) = rows(client, batch.error_file_id)
    assert failed["custom_id"] == "line-2"
    assert failed["response"]["status_code"] == 400


REFUSED = {
    "bad JSON": (b'{"custom_id": "a", \n', 1),
    "no custom_id": (jsonl([line(1), line(2, custom_id=None)]), 2),
    "duplicate custom_id": (jsonl([line(1), line(1)]), 2),
    "wrong method": (jsonl([line(1, method="GET")]), 1),
    "wrong url": (jsonl([line(1), line(2, url="/v1/embeddings")]), 2),
    "missing body": (jsonl([{k: v for k, v in line(1).items() if k != "body"}]), 1),
    "streamed": (jsonl([line(1, body={**line(1)["body"], "stream": True})]), 1),
    "in the background": (jsonl([line(1, body={**line(1)["body"], "background": True})]), 1),
    "unknown model": (jsonl([line(1), line(2, body={**line(2)["body"], "model": "nobody-serves-this"})]), 2),
    "not UTF-8": (jsonl([line(1)]) + b'{"custom_id": "\xff"}\n', 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_fails_the_batch_and_names_the_line(client, case):
    content, number = REFUSED[case]
    batch = wait(client, start(client, content))
    assert batch.status == "failed", batch
    assert number in [error.line for error in batch.errors.data], batch.errors
    assert all(error.message for error in batch.errors.data)
    assert batch.output_file_id is None


def test_a_cancelled_batch_keeps_what_was_done(own_world):
    engine = own_world.engine("--profile", "llama-3.1-8b-l4", speed=1)
    gateway = own_world.gateway([engine.url])
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    many = [line(number, body={**line(number)["body"], "max_tokens": 200}) for number in range(300)]
    batch = client.batches.cancel(start(client, jsonl(many)).id)
    assert batch.status in {"cancelling", "cancelled"}
    batch = wait(client, batch)
    assert batch.status == "cancelled" and batch.cancelled_at
    written = [
        row["custom_id"] for file in (batch.output_file_id, batch.error_file_id) if file for row in rows(client, file)
    ]
    assert len(written) == len(set(written))
    assert batch.request_counts.completed < batch.request_counts.total or batch.request_counts.total == 0


def test_unknown_ids_are_404(client):
    for call in (
        lambda: client.batches.retrieve("batch_nothing"),
        lambda: client.batches.cancel("batch_nothing"),
        lambda: client.files.content("file-nothing"),
    ):
        with pytest.raises(openai.NotFoundError):
            call()


def test_a_batch_of_an_unknown_file_is_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.batches.create(input_file_id="file-nothing", endpoint=CHAT, completion_window="24h")
    assert "file-nothing" in caught.value.body["message"]


def test_a_batch_survives_a_restart_of_the_gateway(own_world):
    engine = own_world.engine(speed=4)
    gateway = own_world.gateway([engine.url])
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=5)
    batch = start(client, jsonl([line(number, body={**line(number)["body"], "max_tokens": 60}) for number in range(200)]))
    gateway.kill()
    gateway.start()
    batch = wait(client, client.batches.retrieve(batch.id))
    assert batch.request_counts.completed == 200
    assert len({row["custom_id"] for row in rows(client, batch.output_file_id)}) == 200
