"""The header that says where a request's time went; `docs/explanation/architecture.md`, section 6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.observability.spans import LONGEST, Span, added, left_out, read, sound

STAGES = ("redaction", "cache", "completion", "response")
SPANS = st.builds(
    Span,
    stage=st.sampled_from(STAGES),
    accepted_ms=st.integers(0, 10**13 - 1),
    waited_ms=st.integers(0, 10**9),
    worked_us=st.integers(0, 10**9),
    outcome=st.sampled_from(["ok", "retry:provider_unavailable", "deadline_exceeded"]),
)


@given(st.lists(SPANS, min_size=1, max_size=60))
def test_what_was_added_is_read_again_and_what_there_is_no_room_for_is_counted(spans: list[Span]) -> None:
    header = b""
    for span in spans:
        header = added(header, span)
        assert len(header) <= LONGEST
        assert sound(header)
    kept = read(header)
    assert len(kept) + left_out(header) == len(spans)
    assert kept[0] == spans[0]
    assert kept[1:] == spans[len(spans) - len(kept) + 1 :]


@pytest.mark.parametrize(
    "header",
    [b"", b"\xff\xfe", b"cache", b"cache;1;2;3", b"cache;1;2;3;ok;more", b"cache;-1;2;3;ok", b"Ann;1;2;3;ok", b"+",
     b"cache;1;2;3;Ann Lee", b",cache;1;2;3;ok", b"cache;1;2;3;ok,", b"cache;" + b"9" * 16 + b";2;3;ok",
     b"cache;1;2;3;ok," * 80 + b"cache;1;2;3;ok", b"x" * 10_000],
)  # fmt: skip
def test_what_is_no_list_of_entries_says_nothing_and_is_begun_anew(header: bytes) -> None:
    assert not sound(header)
    assert (read(header), left_out(header)) == ([], 0)
    span = Span(stage="cache", accepted_ms=1, waited_ms=2, worked_us=3)
    assert read(added(header, span)) == [span]


def test_an_entry_holds_no_text_and_no_impossible_time() -> None:
    span = Span(stage="cache", accepted_ms=-5, waited_ms=-3, worked_us=10**20, outcome="Ann Lee, 078-05-1120")
    [entry] = read(added(b"", span))
    assert (entry.accepted_ms, entry.waited_ms, entry.worked_us, entry.outcome) == (0, 0, 10**14 - 1, "other")
