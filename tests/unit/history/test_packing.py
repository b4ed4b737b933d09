"""What is packed comes back as it was."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.ids import returned_id
from forebay.history.packing import (
    MOST_BUCKETS,
    bucket,
    bucket_ends,
    counts_of,
    numbers,
    numbers_of,
    packed_counts,
    packed_id,
    quantile,
    signed,
    unpacked_id,
    unsigned,
)


@given(st.uuids())
def test_a_uuid_takes_16_bytes(one: UUID) -> None:
    assert packed_id(str(one)) == one.bytes
    assert unpacked_id(one.bytes) == str(one)


@given(st.binary(min_size=15, max_size=15))
def test_a_conversation_takes_15(data: bytes) -> None:
    text = unpacked_id(data)
    assert len(text) == 26
    assert packed_id(text) == data


@given(
    st.text(max_size=60)
    | st.from_regex(r"[0-9a-fA-F-]{36}|c_[A-Z2-7a-z]{24}|[0-9a-f]{8}(-[0-9a-f ]{4}){3}-[0-9a-f]{12}", fullmatch=True)
)
def test_any_other_id_stays_what_it_is(text: str) -> None:
    assert unpacked_id(packed_id(text)) == text


@pytest.mark.parametrize("long", ["x" * 10_000, "\u20ac" * 400, "a\udcff"])
def test_what_is_too_long_or_no_text_is_kept_as_its_digest(long: str) -> None:
    kept = packed_id(long)
    assert isinstance(kept, str)
    assert kept.startswith("refused-")
    assert len(long) < 5 or kept == returned_id(long)


@given(st.lists(st.integers(0, 1 << 62)))
def test_numbers_come_back(values: list[int]) -> None:
    assert list(numbers_of(numbers(values))) == values


@given(st.integers(-(1 << 60), 1 << 60))
def test_signs_come_back(value: int) -> None:
    assert unsigned(signed(value)) == value
    assert signed(value) >= 0


@given(st.integers(-5, 1 << 70))
def test_a_value_is_between_the_ends_of_its_bucket(value: int) -> None:
    number = bucket(value)
    low, high = bucket_ends(number)
    assert number < MOST_BUCKETS
    if 0 < value < 1 << 39:
        assert low * 0.999 <= value <= high * 1.001


@given(st.dictionaries(st.integers(0, MOST_BUCKETS - 1), st.integers(1, 1 << 40), max_size=20))
def test_counts_come_back(counts: dict[int, int]) -> None:
    assert counts_of(packed_counts(counts)) == counts


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_at_most_a_bucket_off(values: list[int], share: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    true = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    found = quantile(counts, share)
    assert found is not None
    assert true / 1.2 <= found <= true * 1.2


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
