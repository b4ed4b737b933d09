"""The wheel, and environments in which it is installed: made once a session."""

from pathlib import Path

import pytest

from tests.wheel.environments import Environment, build, empty


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """``pip install forebay``, and nothing else."""
    made = empty(tmp_path_factory.mktemp("alone"))
    made.install(str(wheel))
    return made


@pytest.fixture(scope="session")
def whole(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """``pip install 'forebay[server,embedded]'``."""
    made = empty(tmp_path_factory.mktemp("whole"))
    made.install(f"forebay[server,embedded] @ {wheel.as_uri()}")
    return made
