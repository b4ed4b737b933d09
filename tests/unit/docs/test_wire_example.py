"""The program without Forebay's client, in docs/how-to/other-languages.md, speaks the same bytes as Forebay."""

import json
import struct
from typing import Any

import pytest

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import LocalRegistry
from forebay.contract.records import AnswerSource, Error, Message, MessageRole, Request, Response, ResponseStatus
from tests.unit.docs.pages import ROOT, blocks

PAGE = ROOT / "docs/how-to/other-languages.md"
REGISTRY = json.loads((ROOT / "schemas/registry.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def wire() -> Any:
    """An instance of the page's class ``Wire``."""
    [program] = blocks("python", pages=[PAGE])
    names: dict[str, Any] = {"__name__": "ask"}
    exec(compile(program.text, program.name, "exec"), names)
    return names["Wire"](REGISTRY)


@pytest.fixture
def requests() -> Codec[Request]:
    return Codec(Request, "requests-value", LocalRegistry())


def test_its_request_is_understood(wire: Any, requests: Codec[Request]) -> None:
    given = {"request_id": "r-1", "user_id": "u-1", "messages": [{"role": "user", "content": "¿12 + 7?"}]}
    assert requests.decode(wire.encode("requests-value", given)) == Request(
        request_id="r-1", user_id="u-1", messages=(Message(role=MessageRole.USER, content="¿12 + 7?"),)
    )


def test_its_bytes_are_ours(wire: Any, requests: Codec[Request]) -> None:
    given = {"request_id": "r-1", "messages": [{"content": "x"}]}
    assert wire.encode("requests-value", given) == requests.encode(
        Request(request_id="r-1", messages=(Message(content="x"),))
    )


def test_it_understands_our_response(wire: Any) -> None:
    response = Response(
        request_id="r-1",
        status=ResponseStatus.REJECTED,
        error=Error(code="max_cost", message="too dear"),
        source=AnswerSource.NONE,
        metadata={"a": "b"},
    )
    read = wire.decode(Codec(Response, "responses-value", LocalRegistry()).encode(response))
    assert read["status"] == "rejected"
    assert read["error"] == {"code": "max_cost", "message": "too dear", "retry_at": None}
    assert read["metadata"] == {"a": "b"}
    assert read["cost_nanousd"] == 0


def test_the_bytes_are_as_the_table_says(wire: Any, requests: Codec[Request]) -> None:
    value = wire.encode("requests-value", {"request_id": "r-1"})
    assert value[0] == 0
    assert int.from_bytes(value[1:5], "big") == REGISTRY["subjects"]["requests-value"][-1]
    with pytest.raises(UndecodableError):
        requests.decode(b"\x01" + value[1:])
    with pytest.raises(ValueError, match="wire format"):
        wire.decode(struct.pack(">bI", 1, 1) + value[5:])


def test_the_page_names_the_codecs_that_the_stages_can_read() -> None:
    from aiokafka import codec

    assert "gzip, snappy, lz4 and zstd are all read" in PAGE.read_text("utf-8")
    assert all(getattr(codec, f"has_{name}")() for name in ("gzip", "snappy", "lz4", "zstd"))
