"""Python in the documentation compiles; what uses Forebay's API runs, with nothing but the network left out."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from forebay.avro.codec import Codec, open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import LocalRegistry
from forebay.client import client
from forebay.client.pending import Waiting
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Completion, Error, Request, Response, ResponseStatus
from forebay.kafka import publisher
from forebay.settings import KafkaSettings, Settings, load
from tests.unit.docs.pages import ROOT, Block, blocks

BLOCKS = list(blocks("python"))
SENDING = ("README.md", "docs/how-to/send-requests.md")


class OfflineClient(client.ForebayClient):
    """The real client, but for brokers: each request is encoded, and answered at once."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        super_parameters = client.ForebayClient.__init__.__kwdefaults__ or {}
        assert options.keys() <= super_parameters.keys()
        assert isinstance(settings, Settings)
        self._kafka = settings[KafkaSettings]
        self._requests = Codec(Request, "requests-value", LocalRegistry())
        self._waiting = Waiting()

    def _publish(self, request_id: str, value: bytes, request: Request | None) -> Any:
        assert request is not None
        assert self._requests.decode(value) == request
        ASKED.append(request)
        future: Any = client.Future()
        future.set_result(Response(request_id=request_id, status=ResponseStatus.OK, content="19", tier="small"))
        return future

    def close(self) -> None:
        """Nothing is open."""


ASKED: list[Request] = []


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Output]:
    """No brokers; what is published."""
    published: list[Output] = []

    def publish(settings: Settings, outputs: Sequence[Output], timeout_s: float = 30.0) -> None:
        Encoding(open_codecs(settings, LocalRegistry(prefix="forebay.")), settings[KafkaSettings]).encode(outputs, {})
        published.extend(outputs)

    ASKED.clear()
    monkeypatch.chdir(tmp_path)  # no embedded stack runs here
    monkeypatch.setattr(client, "ForebayClient", OfflineClient)
    monkeypatch.setattr(publisher, "publish", publish)
    return published


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec")


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if str(block.page.relative_to(ROOT)) in SENDING], ids=lambda block: block.name
)
def test_a_block_that_sends_runs(block: Block, offline: list[Output]) -> None:
    exec(compile(block.text, block.name, "exec"), {"__name__": "example"})
    assert ASKED or offline


def test_the_offline_client_refuses_what_the_real_one_refuses(offline: list[Output]) -> None:
    with OfflineClient(load()) as asking, pytest.raises(TypeError):
        asking.ask("x", colour="red")


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


async def test_the_stage_to_add_works() -> None:
    rule, adapter = blocks("python", pages=[ROOT / "docs/explanation/architecture.md"])
    names: dict[str, Any] = {"__name__": "rule"}
    exec(compile(rule.text, rule.name, "exec"), names)
    context: Any = Context
    [output] = await names["greeting"](Completion(request_id="r", content="Hello!"), context)
    assert (output.topic, output.key) == ("alerts", "hello|r")
    assert await names["greeting"](Completion(content="19"), context) == ()
    text = adapter.text.replace("from forebay_agents.greeting.rule import greeting\n", "")
    exec(compile(text, adapter.name, "exec"), names)
    async with names["greeting_stage"](load(ROOT / "forebay.yaml")) as stage:
        assert [route.topic for route in stage.routes] == ["completions"]
