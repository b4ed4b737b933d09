"""Every record says whose it is, as far as its fields do."""

from dataclasses import fields
from typing import get_args

import pytest

from forebay.contract.records import Record, RedactedRequest, Request, UsageEvent
from forebay.contract.records.addressed import NOBODY, Address, addressed
from forebay.contract.wire import Delivered

TELLING: dict[str, str | int] = {
    "request_id": "r-7",
    "tenant_id": "globex",
    "priority": 8,
    "deadline_ms": 900,
    "accepted_at": 1_700_000_000_000,
}


@pytest.mark.parametrize("kind", get_args(Record), ids=lambda kind: kind.__name__)
def test_an_address_has_each_of_the_fields_that_the_record_has_and_no_other(kind: type[Record]) -> None:
    given = {field.name: TELLING[field.name] for field in fields(kind) if field.name in TELLING}
    found = addressed(kind(**given))
    assert {name: getattr(found, name) for name in TELLING} == NOBODY._asdict() | given


def test_the_records_with_deadlines_and_turns_are_the_requests() -> None:
    urgent = {name for name in TELLING if name in {field.name for field in fields(RedactedRequest)}}
    assert urgent == set(TELLING) == {*Address._fields}
    assert set(TELLING) - {field.name for field in fields(Request)} == {"accepted_at"}


def test_bytes_and_what_could_not_be_read_are_nobodys() -> None:
    raw = Delivered(topic="dlq", partition=0, offset=1, key=b"k", value=b"v", headers={}, timestamp_ms=5)
    assert addressed(raw) == addressed(None) == NOBODY


def test_a_record_that_says_nothing_of_urgency_is_not_urgent() -> None:
    found = addressed(UsageEvent(request_id="r-7"))
    assert (found.priority, found.deadline_ms, found.accepted_at) == (0, None, 0)
