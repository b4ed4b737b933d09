"""Headers: which an output inherits, and how hostile ones are read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h

_NAMES = st.sampled_from([
    h.TRACEPARENT, h.ATTEMPT, h.RETRY_STAGE, h.DUE_AT, h.SEALED, h.LAST_CODE, h.SPENT, *h.ORIGIN, "forebay-dlq-code",
    "forebay-replay-id", "forebay-spans", "forebay-timing-redaction", "content-type", "x-user-email",
])  # fmt: skip


@given(st.dictionaries(_NAMES, st.binary(min_size=1), min_size=1))
def test_outputs_inherit_what_belongs_to_the_request_and_nothing_of_one_delivery(source: dict[str, bytes]) -> None:
    inherited = h.inherited(source)
    kept = {"forebay-replay-id", "forebay-spans"} & source.keys()
    assert inherited.keys() == kept | {h.TRACEPARENT}
    assert all(inherited[name] == source[name] for name in inherited.keys() & source.keys())


def test_a_record_without_a_trace_begins_one() -> None:
    first, second = h.inherited({})[h.TRACEPARENT], h.inherited({"a": b"b"})[h.TRACEPARENT]
    assert first != second
    for trace in (first, second):
        assert re.fullmatch(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01", trace)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [(None, {}), ([], {}), ([("a", b"1"), ("a", b"2"), ("b", None)], {"a": b"2", "b": b""}), ({"a": None}, {"a": b""})],
)
def test_headers_as_client_libraries_give_them(pairs: object, expected: dict[str, bytes]) -> None:
    assert h.from_kafka(pairs) == expected  # type: ignore[arg-type]  # both shapes on purpose


@given(st.binary())
def test_no_header_is_too_strange_to_read(value: bytes) -> None:
    text, number = h.text({"a": value}, "a"), h.number({"a": value}, "a")
    assert text is None or text.encode() == value
    assert number is None or int(value) == number


def test_an_absent_header_is_none() -> None:
    assert h.text({}, "a") is h.number({}, "a") is None
