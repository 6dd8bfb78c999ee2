import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))

from neaptest.echo_engine import EchoEngine  # noqa: E402
from neaptest.processes import World  # noqa: E402

MODEL = "tiny"


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Two engines and a gateway that most tests share; tests that stop or break something make their own."""
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.engines = [world.engine(model=MODEL), world.engine(model=MODEL)]
        world.front = world.gateway([engine.url for engine in world.engines])
        yield world
    finally:
        world.close()


@pytest.fixture
def own_world(tmp_path):
    """A world of the test's own, empty."""
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture(scope="session")
def gateway(world):
    return world.front


@pytest.fixture(scope="session")
def client(gateway):
    """The official client, unmodified. No retries: a failure must show."""
    import openai

    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=60)


@pytest.fixture
def echo(own_world):
    """A recording engine behind a gateway of its own, as `echo.gateway`."""
    engine = EchoEngine()
    try:
        engine.gateway = own_world.gateway([engine.url])
        yield engine
    finally:
        engine.close()
