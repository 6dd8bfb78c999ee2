"""Starts engines and gateways as real processes on free ports, and stops them by their process id."""

import atexit
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_SECONDS = 60
STOP_SECONDS = 30


def binary() -> str:
    """The executable under test: NEAP_BINARY, or the debug build."""
    path = pathlib.Path(os.environ.get("NEAP_BINARY", ROOT / ".build/debug/neap")).resolve()
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run `make test-clients`")
    return str(path)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str, timeout: float = 10, headers: dict | None = None) -> tuple[int, dict, bytes]:
    """One GET on a fresh connection: status, headers (lower-case names), body."""
    return request("GET", port, path, timeout=timeout, headers=headers)


def request(
    method: str, port: int, path: str, body: bytes | None = None, timeout: float = 30, headers: dict | None = None
) -> tuple[int, dict, bytes]:
    """One request on a fresh connection: status, headers (lower-case names), body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def post(port: int, path: str, body: dict, timeout: float = 30, headers: dict | None = None) -> tuple[int, dict]:
    """One JSON request on a fresh connection: status and the decoded answer."""
    wanted = {"content-type": "application/json", **(headers or {})}
    status, _, answer = request("POST", port, path, json.dumps(body).encode(), timeout, wanted)
    return status, json.loads(answer)


class Process:
    """One process of the product, its port and its log."""

    def __init__(self, name: str, arguments: list[str], log: pathlib.Path, ready: str, port: int, env=None, prefix=()):
        self.name, self.port, self.ready_path, self.log_path = name, port, ready, log
        self.command = [*prefix, binary(), *arguments]
        self.environment = {**os.environ, **(env or {})}
        self.child: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.child.pid

    def spawn(self) -> "Process":
        """Starts it without waiting for it to be ready."""
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment,
                start_new_session=True,
            )
        return self

    def start(self) -> "Process":
        self.spawn()
        self.wait_ready()
        return self

    def is_ready(self) -> bool:
        try:
            return get(self.port, self.ready_path, timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not self.is_ready():
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} is not ready after {seconds} s:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self, lines: int = 30) -> str:
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return "\n".join([" ".join(self.command), *text.splitlines()[-lines:]])

    def drain(self) -> None:
        """Asks it to drain and end, without waiting."""
        self.child.send_signal(signal.SIGTERM)

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """Asks it to drain and end; its exit code. Kills it when it does not."""
        if self.child.poll() is None:
            self.drain()
        return self.ended(seconds)

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Waits for it to end by itself; its exit code. Kills it when it does not."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} did not drain within {seconds} s:\n{self.tail()}") from None

    def kill(self) -> None:
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


class World:
    """Engines and gateways that live as long as one test or one module."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.processes: list[Process] = []
        atexit.register(self.close)  # when the run is interrupted between fixtures

    def add(self, process: Process) -> Process:
        self.processes.append(process)
        return process

    def engine(self, *extra: str, model: str = "tiny", speed: float = 20, port: int | None = None, start=True) -> Process:
        port = port or free_port()
        arguments = ["engine", "--port", str(port), "--model", model, "--speed", str(speed), *extra]
        log = self.folder / f"engine-{port}.log"
        process = self.add(Process("engine", arguments, log, "/health", port))
        return process.start() if start else process

    def gateway(
        self, engines: list[str], *extra: str, data: pathlib.Path | None = None, port: int | None = None, env=None,
        prefix=(), start=True,
    ) -> Process:
        """`engines` are URLs; empty: `extra` says where the engines are."""
        port = port or free_port()
        data = data or self.folder / f"data-{port}"
        arguments = ["serve", "--port", str(port), "--data", str(data)]
        for url in engines:
            arguments += ["--engine", url]
        log = self.folder / f"gateway-{port}.log"
        process = self.add(Process("gateway", [*arguments, *extra], log, "/readyz", port, env, prefix))
        return process.start() if start else process

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()


def samples(port: int) -> dict[str, float]:
    """The gateway's metrics: series as written (`name{label="value"}`) to value."""
    status, _, body = get(port, "/metrics")
    assert status == 200, body[:500]
    found = {}
    for line in body.decode().splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            found[series] = float(value)
    return found
