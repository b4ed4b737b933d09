"""Bytes of records: back and forth, from older and newer writers, and whatever garbage somebody sends."""

import struct
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import LocalRegistry, UnknownSchemaError
from forebay.avro.schemas import Schema, schema_of
from forebay.contract.records import Alert, Completion, Message, Request, UsageEvent
from forebay.contract.topics import TOPICS
from forebay.testing import codecs
from tests.unit.avro.record_strategies import records_of

CANARY = "078-05-1120"
CODES = {"empty_message", "not_avro", "unknown_schema", "undecodable"}
TYPED = {topic.name: topic.record for topic in TOPICS.values() if topic.record is not None}


class Versions:
    """A registry that knows the current schema as 1 and others by their ids."""

    def __init__(self, others: dict[int, Schema] | None = None) -> None:
        self.others = others or {}
        self.asked: list[int] = []

    def id_of(self, _subject: str, _schema: Schema) -> int:
        return 1

    def schema(self, schema_id: int) -> Schema:
        self.asked.append(schema_id)
        if schema_id not in self.others:
            raise UnknownSchemaError(f"no schema has id {schema_id}")
        return self.others[schema_id]


def written_by(schema: Schema, schema_id: int, value: dict[str, Any]) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), value)
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


def refusal(codec: Codec[Any], data: bytes | None) -> UndecodableError:
    with pytest.raises(UndecodableError) as refused:
        codec.decode(data)
    return refused.value


def decoding_error(codec: Codec[Any], data: bytes) -> UndecodableError | None:
    try:
        codec.decode(data)
    except UndecodableError as error:
        return error
    return None


@pytest.mark.parametrize("topic", TYPED)
def test_what_was_encoded_is_decoded_equal(topic: str) -> None:
    codec = codecs()[topic]

    @given(records_of(TYPED[topic]))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def check(record: Any) -> None:
        assert codec.decode(codec.encode(record)) == record

    check()


def test_the_wire_format_is_confluents() -> None:
    data = Codec(Alert, "alerts-value", Versions()).encode(Alert(alert_id="a"))
    assert data[:5] == b"\0\0\0\0\1"
    body = fastavro.schemaless_reader(BytesIO(data[5:]), fastavro.parse_schema(schema_of("Alert")))
    assert body["alert_id"] == "a"


@given(records_of(Completion), st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_part_of_a_record_is_no_record(record: Completion, data: st.DataObject) -> None:
    codec = codecs()["completions"]
    whole = codec.encode(record)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert refusal(codec, cut).code in {"empty_message", "not_avro", "undecodable"}


@given(records_of(UsageEvent), st.binary(min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_follows_a_record_is_not_ignored(record: UsageEvent, more: bytes) -> None:
    codec = codecs()["usage"]
    assert refusal(codec, codec.encode(record) + more).code == "undecodable"


@given(st.one_of(st.binary(), st.binary().map(lambda body: b"\0\0\0\0\1" + body)), st.sampled_from(sorted(TYPED)))
@settings(max_examples=300, deadline=None)
def test_garbage_is_refused_with_a_code_and_without_being_quoted(garbage: bytes, topic: str) -> None:
    codec = Codec(TYPED[topic], f"{topic}-value", Versions())
    error = decoding_error(codec, garbage + CANARY.encode())
    if error is not None:  # else the garbage happened to be a record
        assert error.code in CODES
        assert CANARY not in str(error)
        assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "empty_message"),
        (b"", "empty_message"),
        (b"\0\0\0\0", "not_avro"),
        (b'{"messages": []}', "not_avro"),
        (b"\0\0\0\0\x09abc", "unknown_schema"),
        (b"\0\0\0\0\x01", "undecodable"),
        (b"\0\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "undecodable"),
    ],
)
def test_each_way_of_being_unreadable_has_its_code(data: bytes | None, code: str) -> None:
    assert refusal(Codec(Alert, "alerts-value", Versions()), data).code == code


def test_an_unknown_symbol_of_an_enum_is_undecodable() -> None:
    data = bytearray(codecs()["alerts"].encode(Alert(alert_id="", kind="")))
    data[7] = 20  # alert_id and kind are empty, then comes the severity: 20 is symbol 10 of 3
    assert refusal(codecs()["alerts"], bytes(data)).code == "undecodable"


def test_a_record_of_another_type_is_not_read_as_this_one() -> None:
    registry = Versions({7: schema_of("Alert")})
    data = written_by(
        schema_of("Alert"), 7, {field["name"]: field["default"] for field in schema_of("Alert")["fields"]}
    )
    error = refusal(Codec(UsageEvent, "usage-value", registry), data)
    assert (error.code, str(error)) == ("unknown_schema", "schema 7 is of Alert, not of UsageEvent")


@pytest.mark.parametrize("topic", TYPED)
def test_a_writer_that_did_not_know_a_field_yet_gives_its_default(topic: str) -> None:
    current = schema_of(TYPED[topic].__name__)
    default = TYPED[topic]()
    for missing in current["fields"]:
        others = [field for field in current["fields"] if field is not missing]
        older = _resolvable({**current, "fields": others}, current)
        codec = Codec(TYPED[topic], f"{topic}-value", Versions({2: older}))
        values = {field["name"]: field["default"] for field in others}
        assert codec.decode(written_by(older, 2, values)) == default, missing["name"]


def _resolvable(schema: Schema, whole: Schema) -> Schema:
    """``schema`` with the definitions that went with the missing field put where they are first named."""
    definitions: dict[str, Any] = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") in ("record", "enum"):
                definitions[node["name"]] = node
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(whole)
    defined: set[str] = set()

    def resolve(node: Any) -> Any:
        if isinstance(node, str) and node in definitions and node not in defined:
            return resolve(definitions[node])
        if isinstance(node, list):
            return [resolve(part) for part in node]
        if isinstance(node, dict):
            if node.get("type") in ("record", "enum"):
                defined.add(node["name"])
            return {key: resolve(value) if key in ("type", "items", "values", "fields") else value
                    for key, value in node.items()}  # fmt: skip
        return node

    resolved: Schema = resolve(schema)
    return resolved


def test_a_writer_that_knows_more_fields_is_understood() -> None:
    current = schema_of("Alert")
    newer = {**current, "fields": [*current["fields"], {"name": "colour", "type": "string", "default": "red"}]}
    codec = Codec(Alert, "alerts-value", Versions({2: newer}))
    values = {field["name"]: field["default"] for field in newer["fields"]} | {"alert_id": "a"}
    assert codec.decode(written_by(newer, 2, values)) == Alert(alert_id="a")


def test_a_writers_schema_is_asked_for_once() -> None:
    registry = Versions({2: schema_of("Alert")})
    codec = Codec(Alert, "alerts-value", registry)
    data = written_by(schema_of("Alert"), 2, {f["name"]: f["default"] for f in schema_of("Alert")["fields"]})
    for _ in range(3):
        codec.decode(data)
    assert registry.asked == [2]


@pytest.mark.parametrize(
    "record",
    [
        UsageEvent(cost_nanousd=2**63),
        UsageEvent(model=None),  # type: ignore[arg-type]  # the point
        UsageEvent(model="\ud800"),
        UsageEvent(status="paid"),  # type: ignore[arg-type]  # the point
    ],
)
def test_a_value_that_its_field_cannot_hold_is_refused(record: UsageEvent) -> None:
    with pytest.raises((TypeError, ValueError)):
        codecs()["usage"].encode(record)


def test_a_codec_warms_up_once_its_schema_is_registered() -> None:
    with pytest.raises(UnknownSchemaError, match="forebay schemas register"):
        Codec(Alert, "nobody-value", LocalRegistry()).warm()


def test_nested_records_come_back_as_records() -> None:
    codec = codecs()["requests"]
    request = codec.decode(codec.encode(Request(messages=(Message(content="hi"),))))
    assert isinstance(request.messages[0], Message)
