"""What the engine gets is what the client sent, and the other way round."""

import json

from neaptest.processes import request

CHAT = "/v1/chat/completions"
HEADERS = {"content-type": "application/json"}


def send(echo, body: bytes, headers: dict | None = None, path: str = CHAT):
    answer = request("POST", echo.gateway.port, path, body, headers={**HEADERS, **(headers or {})})
    return answer, (echo.requests[-1] if echo.requests else None)


def test_the_body_arrives_byte_for_byte(echo):
    body = (
        b'{ "x_unknown":"z",  "model" : "echo","messages":[{"role":"user","content":"h\\u00e9\\n\xc3\xa9"}],'
        b'"seed":12345678901234567890123,"temperature":0.10000000000000001,"min_p":1e-3,"guided_json":{"b":1,"a":2},'
        b'"structured_outputs":{"json":{}},"chat_template_kwargs":{"enable_thinking":false},'
        b'"kv_transfer_params":{"x":1},"priority":3,"metadata":{"k":"v"},"service_tier":"auto",\t"user":"u1",'
        b'"safety_identifier":"s","prompt_cache_key":"p","reasoning_effort":"low"}\n'
    )
    (status, _, _), (_, path, _, got) = send(echo, body)
    assert status == 200
    assert path == CHAT
    assert got == body


def test_a_chunked_body_arrives_whole(echo):
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x" * 70_000}]}).encode()
    pieces = iter([body[:10], body[10:40_000], body[40_000:]])
    (status, _, _), (_, _, _, got) = send(echo, pieces)
    assert status == 200
    assert got == body


def test_custom_headers_and_trace_context_pass(echo):
    trace = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    sent = {"X-Custom": "c1", "traceparent": trace, "X-Request-Id": "r1", "TE": "trailers", "Keep-Alive": "timeout=5"}
    (_, answer, _), (_, _, headers, _) = send(echo, b'{"model": "echo", "messages": []}', sent)
    seen = {name.lower(): value for name, value in headers}
    assert seen["x-custom"] == "c1"
    assert seen["traceparent"].split("-")[1] == "1" * 32
    assert seen["x-request-id"] == "r1" == answer["x-request-id"]
    assert "te" not in seen and "keep-alive" not in seen


def test_a_header_named_by_connection_does_not_pass(echo):
    sent = {"X-Private": "1", "Connection": "keep-alive, x-private"}
    _, (_, _, headers, _) = send(echo, b'{"model": "echo", "messages": []}', sent)
    assert "x-private" not in {name.lower() for name, _ in headers}


def test_the_answer_comes_back_byte_for_byte(echo):
    content = b'{"id":"x", "big":12345678901234567890, "f":1.0, "choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}'
    echo.answer = (200, content, "application/json", [("x-worker", "w1"), ("x-extra", "kept")])
    (status, headers, body), _ = send(echo, b'{"model": "echo", "messages": []}')
    assert (status, body) == (200, content)
    assert headers["x-worker"] == "w1" and headers["x-extra"] == "kept"
    assert headers["x-request-id"]


def test_an_engines_own_error_is_passed_on(echo):
    content = b'{"object":"error","message":"bad temperature","code":400}'
    echo.answer = (400, content, "application/json", [])
    (status, _, body), _ = send(echo, b'{"model": "echo", "messages": [], "temperature": -1}')
    assert (status, body) == (400, content)


def test_the_query_passes(echo):
    _, (_, path, _, _) = send(echo, b'{"model": "echo", "messages": []}', path=CHAT + "?a=1&b=%20")
    assert path == CHAT + "?a=1&b=%20"


def test_a_body_with_a_content_encoding_is_415(echo):
    (status, _, body), got = send(echo, b"\x1f\x8b", {"content-encoding": "gzip"})
    assert status == 415 and got is None
    assert json.loads(body)["error"]["message"]


def test_duplicate_model_keys_are_400_with_an_offset(echo):
    (status, _, body), got = send(echo, b'{"model": "echo", "messages": [], "mod\\u0065l": "other"}')
    assert status == 400 and got is None
    assert any(character.isdigit() for character in json.loads(body)["error"]["message"])
