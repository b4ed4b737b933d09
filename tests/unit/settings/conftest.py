"""A folder with a configuration of its own, and an environment in which nothing of ours is set."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from forebay.settings import ConfigurationError, Fault, Settings, load

Written = Callable[[str], Settings]
Refused = Callable[[str], tuple[Fault, ...]]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("FOREBAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """What comes of a file with that text."""

    def load_it(text: str) -> Settings:
        (tmp_path / "forebay.yaml").write_text(text, "utf-8")
        return load()

    return load_it


@pytest.fixture
def refused(written: Written) -> Refused:
    """The faults for which a file with that text is refused."""

    def faults(text: str = "") -> tuple[Fault, ...]:
        with pytest.raises(ConfigurationError) as error:
            written(text)
        assert error.value.faults, error.value
        return error.value.faults

    return faults
