"""Where a stage goes on, and what it tells when that is not where it left off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.commit_memo import Memo
from forebay.runtime.reading.positions import MARGIN_MS, Gap, Log, Resume, lost_records, resume

AT = 1_700_000_000_000
MEMO = Memo(topic_id="one", at_ms=AT)
LOG = Log(topic_id="one", first=10, end=50)


@given(st.text(alphabet="AZaz09_-", max_size=22), st.integers(0, 1 << 62))
def test_a_memo_comes_back_as_it_was(topic_id: str, at_ms: int) -> None:
    memo = Memo(topic_id="" if topic_id == "-" else topic_id, at_ms=at_ms)
    assert Memo.decode(memo.encode()) == memo


@given(st.none() | st.text(max_size=60))
def test_what_others_wrote_beside_a_commit_says_nothing(text: str | None) -> None:
    assert Memo.decode(text) == Memo() or (text or "").startswith("forebay1 ")


@pytest.mark.parametrize("committed", [10, 30, 50])
def test_a_stage_goes_on_where_it_left_off(committed: int) -> None:
    assert resume(committed, MEMO, LOG) == Resume(offset=committed)
    assert resume(committed, Memo(), LOG) == Resume(offset=committed), "a commit of before there were memos"


def test_who_has_committed_nothing_begins_with_what_is_there() -> None:
    assert resume(None, Memo(), LOG) == Resume(offset=10, fresh=True)


def test_another_topic_of_the_same_name_is_read_from_its_beginning() -> None:
    found = resume(30, Memo(topic_id="another", at_ms=AT), LOG)
    assert found == Resume(offset=10, gap=Gap.RECREATED, left=30)
    assert lost_records(found, 10, end=37) == 7
    assert lost_records(found, 10, end=None) == 1


@pytest.mark.parametrize("log", [Log(topic_id="", first=10, end=50), LOG])
def test_ids_that_nobody_could_tell_are_no_other_topic(log: Log) -> None:
    assert resume(30, Memo(topic_id="", at_ms=AT), log) == resume(30, MEMO, log)


def test_what_expired_is_counted_and_passed() -> None:
    found = resume(3, MEMO, LOG)
    assert found == Resume(offset=10, gap=Gap.RETENTION, left=3)
    assert lost_records(found, 10, end=50) == 7


def test_behind_the_end_it_goes_by_time() -> None:
    found = resume(70, MEMO, LOG)
    assert found == Resume(offset=None, since_ms=AT - MARGIN_MS, gap=Gap.OUT_OF_RANGE, left=70)
    assert lost_records(found, 45, end=50) == 1


def test_behind_the_end_without_a_time_all_is_repeated() -> None:
    assert resume(70, Memo(), LOG) == Resume(offset=10, gap=Gap.OUT_OF_RANGE, left=70)


@given(
    committed=st.none() | st.integers(0, 100),
    memo=st.builds(Memo, topic_id=st.sampled_from(["", "one", "two"]), at_ms=st.integers(0, AT)),
    first=st.integers(0, 100),
    more=st.integers(0, 100),
    topic_id=st.sampled_from(["", "one", "two"]),
)
def test_nothing_is_left_out_without_a_word(
    committed: int | None, memo: Memo, first: int, more: int, topic_id: str
) -> None:
    log = Log(topic_id=topic_id, first=first, end=first + more)
    found = resume(committed, memo, log)
    assert found.offset is None or log.first <= found.offset <= log.end
    if found.gap is None and not found.fresh:
        assert found.offset == committed
