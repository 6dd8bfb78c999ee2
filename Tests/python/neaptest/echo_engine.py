"""An engine that records what it gets, byte for byte, and answers what it is told to.

Speaks just enough of an engine's surface to be put behind the gateway: /health, /v1/models, /metrics.
"""

import http.server
import json
import threading


class EchoEngine:
    """`requests` holds (method, path, headers as a list of pairs, body) in order of arrival."""

    def __init__(self, model: str = "echo"):
        self.model = model
        self.requests: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.answer = self.plain_answer()
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                if self.path == "/v1/models":
                    model = {"id": engine.model, "object": "model", "created": 1, "owned_by": "test"}
                    self.send(200, json.dumps({"object": "list", "data": [model]}).encode())
                elif self.path == "/metrics":
                    self.send(200, b"vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n", "text/plain")
                else:
                    self.send(200, b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if (self.headers.get("transfer-encoding") or "").lower() == "chunked":
                    body = self.chunked()
                engine.requests.append((self.command, self.path, list(self.headers.items()), body))
                status, content, kind, headers = engine.answer
                self.send(status, content, kind, headers)

            def chunked(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def send(self, status, content, kind="application/json", headers=()):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def plain_answer():
        message = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        body = {"id": "x", "object": "chat.completion", "created": 1, "model": "echo", "choices": [message]}
        body["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return 200, json.dumps(body).encode(), "application/json", [("x-worker", "echo")]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
