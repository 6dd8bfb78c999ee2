"""Real model servers behind the gateway, one at a time."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))

from neaptest.processes import World, free_port, get  # noqa: E402

MODEL = "tiny"
START_SECONDS = {"llama-cpp": 60, "vllm": 400}


def command(kind: str, port: int) -> list[str]:
    models = os.environ["REAL_MODELS"]
    if kind == "llama-cpp":
        return [
            os.environ["REAL_LLAMA_CPP"], "-m", f"{models}/tiny.gguf", "--alias", MODEL, "--host", "127.0.0.1",
            "--port", str(port), "--metrics", "--slots", "-np", "4", "-c", "16384", "--jinja", "--offline",
        ]
    return [
        os.environ["REAL_VLLM"], "-m", "vllm.entrypoints.openai.api_server", "--model", f"{models}/tiny",
        "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
        "--max-model-len", "1024", "--max-num-seqs", "4", "--enforce-eager",
    ]


# Tokens that take long enough to be cut: llama.cpp makes thousands per second of so small a model.
LONG_ANSWER = {"llama-cpp": 3900, "vllm": 900}
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
}


class RealEngine:
    """One real server; `running()` is what it says about itself."""

    def __init__(self, kind: str, folder: pathlib.Path):
        self.kind, self.port, self.log = kind, free_port(), folder / f"{kind}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                command(kind, self.port), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                env={**os.environ, **ENVIRONMENT}, start_new_session=True,
            )
        self.long_answer = LONG_ANSWER[kind]
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + START_SECONDS[self.kind]
        while True:
            assert self.child.poll() is None, self.log.read_text()[-4000:]
            try:
                if get(self.port, "/health", timeout=2)[0] == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < end, f"{self.kind} is not ready:\n{self.log.read_text()[-4000:]}"
            time.sleep(0.2)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def running(self) -> float:
        name = {"llama-cpp": "llamacpp:requests_processing", "vllm": "vllm:num_requests_running"}[self.kind]
        text = get(self.port, "/metrics")[2].decode()
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(name))

    def close(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@pytest.fixture(scope="module", params=["llama-cpp", "vllm"])
def engine(request, tmp_path_factory):
    variable = {"llama-cpp": "REAL_LLAMA_CPP", "vllm": "REAL_VLLM"}[request.param]
    if variable not in os.environ:
        pytest.skip(os.environ.get("REAL_SKIPPED") or "run through `make test-real`")
    engine = RealEngine(request.param, tmp_path_factory.mktemp(request.param))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def gateway(engine, tmp_path_factory):
    world = World(tmp_path_factory.mktemp(f"gateway-{engine.kind}"))
    yield world.gateway([engine.url])
    world.close()


@pytest.fixture(scope="module")
def client(gateway):
    import openai

    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=120)
