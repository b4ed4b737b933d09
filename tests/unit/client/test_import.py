"""What does an application load that imports Forebay? Next to nothing, until it asks; and never the stages."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import forebay
from tests.unit.docs.pages import ROOT

_NEVER = {"litellm", "presidio_analyzer", "faust", "mode", "onnxruntime", "numpy", "spacy", "tokenizers", "aiokafka"}
_WHEN_ASKED = {"pydantic", "pydantic_settings", "yaml", "fastavro", "confluent_kafka", "cryptography", "structlog"}
_STANDARD = {"asyncio", "ssl", "logging"}


def modules(program: str, folder: Path) -> set[str]:
    """Those of a fresh interpreter after ``program``."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def top(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("program", ["import forebay", "from forebay import *"])
def test_naming_what_there_is_loads_nothing_dear(program: str, tmp_path: Path) -> None:
    assert sorted(top(modules(program, tmp_path)) & (_NEVER | _WHEN_ASKED | _STANDARD)) == []


def test_an_open_client_loads_no_stage(tmp_path: Path) -> None:
    program = (
        "from forebay import AsyncForebayClient, Feedback, ForebayClient, ResponseTopic\n"
        "from forebay.client.kafka_channel import open_channel\n"
        "import forebay.client.asking\n"
        "forebay.client.asking.request_of([{'role': 'user', 'content': 'x'}], {})\n"
        "ResponseTopic(); AsyncForebayClient()\n"
    )
    names = modules(program, tmp_path)
    assert top(names) >= _WHEN_ASKED
    assert sorted(top(names) & (_NEVER | {"redis", "aiohttp", "prometheus_client", "typer"})) == []
    # A misspelt variable is known as such only by those who know all: the stages' sections are declarations alone.
    parts = {"forebay_agents.redaction.kinds", "forebay_agents.models.prices.settings"}
    declared = {entry.module for entry in entry_points(group="forebay.settings")} | parts
    rest = {name for name in names - declared if name.startswith("forebay_agents.")}
    assert [name for name in sorted(rest) if not any(one.startswith(f"{name}.") for one in declared)] == []


def test_every_name_is_there() -> None:
    assert all(getattr(forebay, name) is not None for name in forebay.__all__)
    assert forebay.__all__ == sorted(set(forebay.__all__))
    assert set(forebay.__all__) <= set(dir(forebay))
    with pytest.raises(AttributeError, match="ForebayCleint"):
        forebay.ForebayCleint  # noqa: B018 - what is not there is asked for


def test_the_typed_names_are_the_lazy_ones() -> None:
    source = (ROOT / "streams/forebay/__init__.py").read_text("utf-8")
    typed = source.partition("if TYPE_CHECKING:")[2].partition("__version__")[0]
    assert all(f" {name}" in typed.replace("\n", " ") for name in forebay.__all__)
