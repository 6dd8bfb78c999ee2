"""What the tests send: chats, and streams that are opened to be broken off."""

import json
import socket
import statistics
import threading
import time

CHAT = "/v1/chat/completions"


def message(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def until(condition, seconds: float = 30, every: float = 0.05):
    """Polls until the condition holds; its value, or the last one when the time is over."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(every)
    return value


class OpenRequests:
    """Requests over plain sockets; what comes is read and thrown away until they are hung up on."""

    def __init__(self, port: int, bodies: list[dict]):
        self.sockets = [self.open(port, body) for body in bodies]
        self.readers = [threading.Thread(target=self.read, args=(one,), daemon=True) for one in self.sockets]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def open(port: int, body: dict) -> socket.socket:
        content = json.dumps(body).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        one = socket.create_connection(("127.0.0.1", port), timeout=10)
        one.settimeout(None)
        one.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return one

    @staticmethod
    def read(one: socket.socket) -> None:
        try:
            while one.recv(65536):
                pass
        except OSError:
            pass

    def hang_up(self) -> None:
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was first
        for reader, one in zip(self.readers, self.sockets):
            reader.join(10)
            one.close()


def first_token_milliseconds(client, model: str, count: int, text: str) -> list[float]:
    """Times from the call to the first output of `count` short streams, one after the other."""
    times = []
    for number in range(count):
        began = time.monotonic()
        stream = client.chat.completions.create(
            model=model, messages=message(f"{text} {number}"), max_tokens=4, temperature=0, stream=True
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                times.append((time.monotonic() - began) * 1e3)
                break
        for _ in stream:
            pass
    return times


def spread(milliseconds: list[float]) -> str:
    return f"median {statistics.median(milliseconds):.0f} ms, greatest {max(milliseconds):.0f} ms of {len(milliseconds)}"
