"""Python in the documentation compiles; what uses Forebay's API runs, with nothing but the network left out."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from forebay import testing
from forebay.client import kafka_channel
from forebay.contract.records import Error, Response, ResponseStatus
from forebay.testing import MemoryChannel
from tests.unit.docs.pages import ROOT, Block, blocks

BLOCKS = list(blocks("python"))
SENDING = [
    block
    for block in BLOCKS
    if str(block.page.relative_to(ROOT)) in ("README.md", "docs/how-to/send-requests.md") and "openai" not in block.text
]
"""What asks by HTTP is run by `make test-clients`."""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryChannel:
    """No brokers: both clients are the real ones, each request is encoded, and answered at once."""
    channel = MemoryChannel("19")
    monkeypatch.chdir(tmp_path)  # no embedded stack runs here
    monkeypatch.setattr(kafka_channel, "open_channel", lambda *_: channel)
    return channel


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec")


@pytest.mark.parametrize("block", SENDING, ids=lambda block: block.name)
def test_a_block_that_sends_runs(block: Block, offline: MemoryChannel) -> None:
    exec(compile(block.text, block.name, "exec"), {"__name__": "example"})
    assert offline.topics.log
    assert offline.closed


def test_what_is_said_of_testing_holds() -> None:
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks("python", pages=[ROOT / "docs/how-to/test-your-stage.md"]):
        exec(compile(block.text, block.name, "exec"), names)
    assert names["told"] == ["r-1"]


def test_every_model_for_tests_is_described() -> None:
    page = (ROOT / "docs/how-to/test-your-stage.md").read_text("utf-8")
    assert [name for name in testing.__all__ if not re.search(rf"\b{name}\b", page)] == []


def test_the_consumer_drops_repetitions_and_takes_what_supersedes() -> None:
    [program] = blocks("python", pages=[ROOT / "docs/how-to/consume-responses.md"])
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(program.text, program.name, "exec"), names)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE answers (request_id PRIMARY KEY, status, code, content)")
    failed = Response(request_id="r", status=ResponseStatus.FAILED, error=Error(code="retries_exhausted"))
    mended = Response(request_id="r", status=ResponseStatus.OK, content="19", supersedes="retries_exhausted")
    try:
        taken = [names["apply"](database, response) for response in (failed, failed, mended, mended, failed)]
        assert taken == [True, False, True, False, False]
        assert database.execute("SELECT status, content FROM answers").fetchall() == [("ok", "19")]
    finally:
        database.close()
