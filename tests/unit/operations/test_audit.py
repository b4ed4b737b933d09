"""The trail of what people did: written before an act and after it, and a record that is gone shows."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.avro.codec import Codec
from forebay.avro.registry import LocalRegistry
from forebay.contract.records import AuditEvent
from forebay.operations.audit.chain import LINKS, digest, linked, unfinished, verify
from forebay.operations.audit.opening import os_user
from forebay.operations.audit.recording import recorded
from tests.unit.operations.trail import MemoryTrail

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def audit_id(at_ms: int, number: int = 0) -> str:
    """A UUIDv7 of that time."""
    digits = f"{at_ms:012x}7{number:03x}8{0:015x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def event(at_ms: int, number: int = 0, **details: str) -> AuditEvent:
    return AuditEvent(audit_id=audit_id(at_ms, number), action="vault.rotate", by="ann", at=at_ms, details=details)


def chain(times: Sequence[int]) -> list[AuditEvent]:
    """A trail of one writer."""
    trail: list[AuditEvent] = []
    for number, at_ms in enumerate(times):
        trail.append(linked(event(at_ms, number), trail))
    return trail


def looked_at(trail: Sequence[AuditEvent], retention_ms: int | None = 400 * DAY_MS) -> tuple[list[str], list[str], int]:
    found = verify(trail, now_ms=NOW_MS, retention_ms=retention_ms)
    return [gone.audit_id for gone in found.missing], list(found.altered), found.expired


RECENT = [NOW_MS - DAY_MS * days for days in (9, 7, 5, 3, 1)]


def test_a_trail_is_whole() -> None:
    trail = chain(RECENT)
    found = verify(trail, now_ms=NOW_MS, retention_ms=400 * DAY_MS)
    assert found.whole
    assert (found.events, found.unlinked, found.expired) == (5, 0, 0)
    assert verify([], now_ms=NOW_MS, retention_ms=None).whole


@given(st.integers(1, 12), st.data())
def test_any_record_that_is_gone_shows_but_for_the_last(count: int, data: st.DataObject) -> None:
    trail = chain([NOW_MS - DAY_MS + number for number in range(count + 1)])
    gone = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    left = [one for number, one in enumerate(trail) if number not in gone]
    data.draw(st.randoms()).shuffle(left)
    found = verify(left, now_ms=NOW_MS, retention_ms=400 * DAY_MS)
    # Of several in a row the last one shows: what it named went with it.
    shown = {number for number in gone if number + 1 not in gone}
    assert {one.audit_id for one in found.missing} == {trail[number].audit_id for number in shown}
    assert not found.whole


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, by="bob"),
        lambda one: replace(one, count=one.count + 1),
        lambda one: replace(one, reason=""),
        lambda one: replace(one, at=one.at + 1),
        lambda one: replace(one, details={**one.details, "x": ""}),
        lambda one: replace(one, details={}),
    ],
)
def test_any_change_shows(change: Callable[[AuditEvent], AuditEvent]) -> None:
    trail = chain(RECENT)
    for number in range(4):
        changed = [change(one) if at == number else one for at, one in enumerate(trail)]
        assert trail[number].audit_id in looked_at(changed)[1]


def test_a_second_record_under_the_same_id_shows_and_the_same_one_again_does_not() -> None:
    trail = chain(RECENT)
    assert looked_at([*trail, trail[2]]) == ([], [], 0)
    assert looked_at([*trail, replace(trail[4], by="bob")]) == ([], [trail[4].audit_id], 0)


def test_what_retention_took_is_no_gap() -> None:
    trail = chain([NOW_MS - days * DAY_MS for days in (500, 420, 401, 300, 2)])
    assert looked_at(trail[3:]) == ([], [], 1)
    assert looked_at(trail[4:]) == ([trail[3].audit_id], [], 0)  # of 300 days: nobody's retention took that
    assert looked_at(trail[4:], retention_ms=200 * DAY_MS) == ([], [], 1)
    assert looked_at(trail[3:], retention_ms=None) == ([trail[2].audit_id], [], 0)


def test_two_writers_at_once_are_no_gap_and_the_next_one_holds_both() -> None:
    trail = chain(RECENT[:2])
    left, right = linked(event(RECENT[2], 10), trail), linked(event(RECENT[2], 11), trail)
    joined = linked(event(RECENT[3], 12), [*trail, left, right])
    assert looked_at([*trail, left, right, joined]) == ([], [], 0)
    assert looked_at([*trail, left, joined]) == ([right.audit_id], [], 0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.randoms())
def test_writers_who_see_each_other_late_make_no_gap(steps: list[int], rng: random.Random) -> None:
    trail: list[AuditEvent] = []
    for number, behind in enumerate(steps):
        trail.append(linked(event(NOW_MS - DAY_MS + number, number), trail[: max(0, len(trail) - behind)]))
    rng.shuffle(trail)
    assert looked_at(trail) == ([], [], 0)


def test_records_of_those_who_do_not_link_are_bound_by_the_next_one_who_does() -> None:
    plain = [event(RECENT[0], number) for number in range(3)]
    after = linked(event(RECENT[1], 9), plain)
    assert verify([*plain, after], now_ms=NOW_MS, retention_ms=None).unlinked == 3
    assert looked_at([*plain[1:], after]) == ([plain[0].audit_id], [], 0)


@pytest.mark.parametrize("links", ["no-id", "zz:00", ":", " : : ", "00000000-0000-7000-8000-000000000000", "\u202e:x"])
def test_forged_links_are_a_gap_and_no_traceback(links: str) -> None:
    forged = event(RECENT[0], **{LINKS: links})
    assert not verify([forged], now_ms=NOW_MS, retention_ms=None).whole


def test_a_digest_is_of_what_is_said_and_not_of_its_order() -> None:
    one = AuditEvent(audit_id="x", details={"a": "1", "b": "2"})
    assert digest(one) == digest(replace(one, details={"b": "2", "a": "1"}))
    assert len(digest(one)) == 64


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4), st.text(max_size=8), st.none() | st.text()
)
def test_a_record_has_its_digest_still_when_it_comes_back(details: dict[str, str], by: str, reason: str | None) -> None:
    codec = Codec(AuditEvent, "audit-value", LocalRegistry(prefix=""))
    one = replace(event(NOW_MS), by=by, reason=reason, details=details)
    assert digest(codec.decode(codec.encode(one))) == digest(one)


def test_an_act_has_a_record_before_it_and_one_after() -> None:
    trail = MemoryTrail()
    with recorded(trail, "vault.forget", by="ann", subject="k1:ab", details={"tenant": "acme"}) as act:
        assert [one.details["phase"] for one in trail.events] == ["before"]
        act.count = 3
    before, after = trail.events
    assert (after.details["phase"], after.details["outcome"], after.details["of"]) == ("after", "done", before.audit_id)
    assert (after.count, after.subject, after.by, after.details["tenant"]) == (3, "k1:ab", "ann", "acme")
    assert verify(trail.events, now_ms=after.at, retention_ms=None).whole
    assert unfinished(trail.events) == []


def test_an_act_that_cannot_be_written_down_does_not_happen() -> None:
    trail, happened = MemoryTrail(), []
    trail.refuses_from = 0
    with pytest.raises(OSError, match="brokers"), recorded(trail, "vault.rotate", by="ann", subject="vault"):
        happened.append(1)
    assert happened == []


def test_an_act_that_fails_says_so_and_one_without_an_end_is_named() -> None:
    trail = MemoryTrail()
    with pytest.raises(KeyError), recorded(trail, "vault.rotate", by="ann", subject="vault"):
        raise KeyError("x")
    assert trail.events[-1].details["outcome"] == "KeyError"
    trail.refuses_from = 3
    with pytest.raises(OSError, match="brokers"), recorded(trail, "vault.rotate", by="ann", subject="vault"):
        pass
    assert unfinished(trail.events) == [trail.events[2].audit_id]


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is in no list of users."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_123_456)
    assert os_user() == "uid 4123456"
