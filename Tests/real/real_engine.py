"""One real model server as a process: llama.cpp's or vLLM on CPU."""

import atexit
import os
import pathlib
import re
import signal
import subprocess
import time

from neaptest.processes import free_port, get

MODEL = "tiny"
SLOTS = 4
VARIABLES = {"llama-cpp": "REAL_LLAMA_CPP", "vllm": "REAL_VLLM"}
START_SECONDS = {"llama-cpp": 60, "vllm": 400}
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
}
# Tokens that take long enough to be cut: llama.cpp makes thousands per second of so small a model.
LONG_ANSWER = {"llama-cpp": 3900, "vllm": 900}
# The gateway's name for the engine's family, and the engine's own names for what it is asked about here.
KINDS = {"llama-cpp": "llamacpp", "vllm": "vllm"}
RUNNING = {"llama-cpp": "llamacpp:requests_processing", "vllm": "vllm:num_requests_running"}
WAITING = {"llama-cpp": "llamacpp:requests_deferred", "vllm": "vllm:num_requests_waiting"}


def is_here(kind: str) -> bool:
    return VARIABLES[kind] in os.environ


def command(kind: str, port: int, model: str) -> list[str]:
    models = os.environ["REAL_MODELS"]
    if kind == "llama-cpp":
        return [
            os.environ["REAL_LLAMA_CPP"], "-m", f"{models}/tiny.gguf", "--alias", model, "--host", "127.0.0.1",
            "--port", str(port), "--metrics", "--slots", "-np", str(SLOTS), "-c", str(4096 * SLOTS), "--jinja",
            "--offline",
        ]
    return [
        os.environ["REAL_VLLM"], "-m", "vllm.entrypoints.openai.api_server", "--model", f"{models}/tiny",
        "--served-model-name", model, "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
        "--max-model-len", "1024", "--max-num-seqs", str(SLOTS), "--enforce-eager", "--enable-prompt-tokens-details",
    ]


class RealEngine:
    """Starts at once and is ready when made. All figures are the engine's own, read past the gateway."""

    def __init__(self, kind: str, folder: pathlib.Path, model: str = MODEL):
        self.kind, self.port, self.model = kind, free_port(), model
        self.folder, self.log = folder, folder / f"{kind}-{self.port}.log"
        self.long_answer = LONG_ANSWER[kind]
        self.child: subprocess.Popen | None = None
        atexit.register(self.close)  # when the run is interrupted between fixtures
        self.start()

    def spawn(self) -> None:
        """Starts it, on the same port every time, without waiting for it to be ready."""
        with open(self.log, "ab") as log:
            # A group of its own: vLLM is several processes, and all of them end together.
            self.child = subprocess.Popen(
                command(self.kind, self.port, self.model), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.folder, env={**os.environ, **ENVIRONMENT}, start_new_session=True,
            )

    def start(self) -> None:
        self.spawn()
        end = time.monotonic() + START_SECONDS[self.kind]
        while not self.is_ready():
            assert self.child.poll() is None, self.tail()
            assert time.monotonic() < end, f"{self.kind} is not ready:\n{self.tail()}"
            time.sleep(0.2)

    def is_ready(self) -> bool:
        try:
            return get(self.port, "/health", timeout=2)[0] == 200
        except OSError:
            return False

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def series(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The series of one metric: labels and value."""
        found = []
        for row in get(self.port, "/metrics")[2].decode().splitlines():
            match = re.fullmatch(r"([\w:]+)(?:\{(.*)\})? (\S+)", row)
            if match and match[1] == name:
                found.append((dict(re.findall(r'(\w+)="([^"]*)"', match[2] or "")), float(match[3])))
        return found

    def figure(self, name: str) -> float:
        return sum(value for _, value in self.series(name))

    def running(self) -> float:
        return self.figure(RUNNING[self.kind])

    def waiting(self) -> float:
        return self.figure(WAITING[self.kind])

    def kill_core(self) -> None:
        """`kill -9` of the process that computes, behind the one that serves; vLLM only."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                group = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[2])
                name = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if group == self.child.pid and b"EngineCore" in name:
                return os.kill(int(folder.name), signal.SIGKILL)
        raise AssertionError("vLLM has no process named EngineCore")

    def kill(self) -> None:
        """`kill -9` of every process of it."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                pass
        self.kill()
