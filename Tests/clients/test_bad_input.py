"""Requests that no well-behaved client sends: each has one answer, and none reaches an engine."""

import json
import re
import socket

import pytest

BODY = b'{"model": "echo", "messages": []}'
POST = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: gateway\r\n"
JSON = b"Content-Type: application/json\r\n"


def length(count: int) -> bytes:
    return b"Content-Length: %d\r\n" % count


def exchange(port: int, data: bytes, timeout: float = 10) -> tuple[int, bytes, bool]:
    """Sends bytes; the status of the first answer, everything that came, and whether the gateway closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        got, closed = b"", False
        connection.settimeout(2)
        while True:
            try:
                piece = connection.recv(65536)
            except (TimeoutError, ConnectionResetError):
                break
            if not piece:
                closed = True
                break
            got += piece
    status = int(got.split()[1]) if got.startswith(b"HTTP/1.1 ") else 0
    return status, got, closed


WHOLE = HOST + JSON + length(len(BODY)) + b"\r\n" + BODY
CHUNKED = HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n"

# What is sent, and the only statuses that may come back. 0: closed without an answer is fine too.
FRAMING = {
    "two different lengths": (POST + length(3) + WHOLE, {400}),
    "the same length twice": (POST + length(len(BODY)) + WHOLE, {400}),
    "a list of lengths": (POST + HOST + JSON + b"Content-Length: 33, 33\r\n\r\n" + BODY, {400}),
    "a signed length": (POST + HOST + JSON + b"Content-Length: +33\r\n\r\n" + BODY, {400}),
    "a negative length": (POST + HOST + JSON + b"Content-Length: -1\r\n\r\n", {400}),
    "a huge length": (POST + HOST + JSON + b"Content-Length: 99999999999999999999999\r\n\r\n", {400, 413}),
    "length and chunked": (POST + length(len(BODY)) + CHUNKED + b"0\r\n\r\n", {400}),
    "an unknown transfer coding": (POST + HOST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked twice": (POST + HOST + JSON + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "a space before the colon": (POST + HOST + JSON + b"Content-Length : 33\r\n\r\n" + BODY, {400}),
    "a folded header": (POST + HOST + b"X-Fold: a\r\n b\r\n" + JSON + length(len(BODY)) + b"\r\n" + BODY, {400}),
    "bare line feeds": ((POST + WHOLE).replace(b"\r\n", b"\n"), {400}),
    "a bare carriage return": (POST + HOST + b"X-A: b\rX-B: c\r\n" + JSON + length(len(BODY)) + b"\r\n" + BODY, {400}),
    "a NUL in a header": (POST + HOST + b"X-A: b\x00c\r\n" + JSON + length(len(BODY)) + b"\r\n" + BODY, {400}),
    "no host": (POST + JSON + length(len(BODY)) + b"\r\n" + BODY, {400}),
    "two hosts": (POST + HOST + WHOLE, {400}),
    "a bad chunk size": (POST + CHUNKED + b"xyz\r\n" + BODY + b"\r\n0\r\n\r\n", {400}),
    "a huge chunk size": (POST + CHUNKED + b"ffffffffffffffffff\r\n" + BODY, {400, 413}),
    "a chunk without its line end": (POST + CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n", {400}),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 4 + b"\r\n\r\n", {400, 0}),
    "another version": (b"POST /v1/chat/completions HTTP/3.0\r\n" + WHOLE, {400, 505}),
    "a very long line": (b"POST /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + WHOLE, {400, 414, 431}),
    "a very long header": (POST + HOST + b"X-A: " + b"a" * 300_000 + b"\r\n\r\n", {431}),
    "very many headers": (POST + HOST + b"X-A: b\r\n" * 5000 + b"\r\n", {431}),
}


@pytest.mark.parametrize("case", FRAMING)
def test_what_cannot_be_delimited_closes_the_connection(echo, case):
    data, allowed = FRAMING[case]
    # A second request behind it: were the first one misread, this would be answered too.
    status, got, closed = exchange(echo.gateway.port, data + b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n")
    assert status in allowed, got[:400]
    assert closed, "the connection stayed open"
    assert len(re.findall(rb"HTTP/1\.1 \d{3} ", got)) <= 1, got[:800]
    assert echo.requests == []


def test_the_well_formed_request_of_these_tests_is_answered(echo):
    assert exchange(echo.gateway.port, POST + WHOLE)[0] == 200
    sizes = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    assert exchange(echo.gateway.port, POST + CHUNKED + sizes)[0] == 200
    assert [request[3] for request in echo.requests] == [BODY, BODY]


def test_pipelined_requests_are_answered_in_order(echo):
    data = (POST + WHOLE) * 3 + b"GET /livez HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
    status, got, closed = exchange(echo.gateway.port, data)
    assert status == 200 and closed
    assert got.count(b"HTTP/1.1 200") == 4
    assert len(echo.requests) == 3


def test_expect_100_continue(echo):
    with socket.create_connection(("127.0.0.1", echo.gateway.port), timeout=10) as connection:
        connection.sendall(POST + HOST + JSON + length(len(BODY)) + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(BODY)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


MEANING = {
    "no JSON": (b"hello", 400),
    "an array": (b'[{"model": "echo"}]', 400),
    "an empty body": (b"", 400),
    "a cut object": (b'{"model": "echo"', 400),
    "something behind the object": (b'{"model": "echo"} x', 400),
    "no model": (b'{"messages": []}', 400),
    "a model that is no string": (b'{"model": 7}', 400),
    "stream twice": (b'{"model": "echo", "stream": true, "stream": false}', 400),
    "model twice, once escaped": (b'{"model": "echo", "\\u006dodel": "b"}', 400),
    "an unknown model": (b'{"model": "nowhere"}', 404),
}


@pytest.mark.parametrize("case", MEANING)
def test_what_cannot_be_scanned_is_refused_with_a_reason(echo, case):
    body, wanted = MEANING[case]
    status, got, _ = exchange(echo.gateway.port, POST + HOST + JSON + length(len(body)) + b"\r\n" + body)
    assert status == wanted, got[:400]
    error = json.loads(got.split(b"\r\n\r\n", 1)[1])["error"]
    assert error["message"] and error["type"]
    assert echo.requests == []


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"GET /v1/chat/completions HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"DELETE /v1/models HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (POST + HOST + b"Content-Type: text/plain\r\n" + length(len(BODY)) + b"\r\n" + BODY, 415),
        (POST + HOST + JSON + length(4 << 30) + b"\r\n", 413),
    ],
)
def test_other_refusals(echo, head, wanted):
    status, got, _ = exchange(echo.gateway.port, head)
    assert status == wanted, got[:400]
    assert json.loads(got.split(b"\r\n\r\n", 1)[1])["error"]["message"]
