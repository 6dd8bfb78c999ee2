"""Real model servers behind the gateway, one at a time. Run it through `make test-real`."""

import json
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0] / "python")]

from neaptest.processes import World, get  # noqa: E402
from real_engine import MODEL, RealEngine, is_here  # noqa: E402

figures_key = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[figures_key] = []


def pytest_terminal_summary(terminalreporter, config):
    if rows := config.stash[figures_key]:
        terminalreporter.section("figures")
        for row in rows:
            terminalreporter.write_line(row)


@pytest.fixture
def note(request, engine):
    """Keeps a figure for the end of the run: `note("slot free after 20 ms")`."""
    return lambda text: request.config.stash[figures_key].append(f"{engine.kind}: {text}")


@pytest.fixture(scope="session", params=["llama-cpp", "vllm"])
def engine(request, tmp_path_factory):
    if not is_here(request.param):
        pytest.skip(os.environ.get("REAL_SKIPPED") or "run through `make test-real`")
    engine = RealEngine(request.param, tmp_path_factory.mktemp(request.param))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def gateway(engine, tmp_path_factory):
    world = World(tmp_path_factory.mktemp(f"gateway-{engine.kind}"))
    yield world.gateway([engine.url])
    world.close()


@pytest.fixture
def own_world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def neighbour(own_world, tmp_path):
    """Makes a second engine: llama.cpp's where it is there, since it starts at once; else a simulated one."""
    made = []

    def make(model: str = MODEL):
        if not is_here("llama-cpp"):
            return own_world.engine(model=model)
        made.append(RealEngine("llama-cpp", tmp_path, model))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def official_client(url: str):
    """Without retries: a failure must show."""
    import openai

    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=300)


@pytest.fixture(scope="session")
def client(gateway):
    return official_client(gateway.url)


@pytest.fixture(scope="session")
def direct(engine):
    """Past the gateway."""
    return official_client(engine.url)


@pytest.fixture
def connect():
    return official_client


@pytest.fixture
def shown():
    """What a gateway's `/admin/endpoints` says of an engine."""

    def read(gateway, engine) -> dict:
        rows = json.loads(get(gateway.port, "/admin/endpoints")[2])["data"]
        return next(row for row in rows if row["url"] == engine.url)

    return read
