import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))

from neaptest.processes import World  # noqa: E402


@pytest.fixture
def own_world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()
