"""No entry of the ledger makes a sum that cannot be written: what no call can have made is refused before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.failures import Permanent
from forebay.contract.records import Spend, UsageEvent, UsageStatus
from forebay.history.plausible import CODE, check
from forebay.settings import load
from forebay_agents.cost.projection import Projection

ENTRY = UsageEvent(
    attempt_id="a",
    request_id="r",
    tenant_id="t" * 128,
    user_id="u" * 128,
    status=UsageStatus.SETTLED,
    prompt_tokens=2_000_000,
    cost_nanousd=90_000 * 10**9,
    started_at=1_700_000_000_000,
)


def test_a_dear_call_is_one() -> None:
    check(ENTRY)
    check(replace(ENTRY, finished_at=None))
    check(UsageEvent())


@pytest.mark.parametrize(
    "fields",
    [
        {"cost_nanousd": (1 << 63) - 1},
        {"cost_nanousd": -1},
        {"reserved_nanousd": 1 << 60},
        {"saved_nanousd": -(1 << 63)},
        {"prompt_tokens": -1},
        {"cached_prompt_tokens": 1 << 40},
        {"started_at": -1},
        {"started_at": 1 << 62},
        {"finished_at": 1 << 62},
        {"tenant_id": "t" * 60_000},
        {"model": "é" * 30_000},
    ],
)
def test_what_no_call_has_is_refused_by_name_and_not_quoted(fields: dict[str, object]) -> None:
    with pytest.raises(Permanent) as caught:
        check(replace(ENTRY, **fields))  # type: ignore[arg-type]  # as the cases say
    assert caught.value.code == CODE
    assert "ttt" not in caught.value.message


@given(
    st.lists(
        st.builds(
            UsageEvent,
            attempt_id=st.uuids().map(str),
            status=st.sampled_from(UsageStatus),
            cost_nanousd=st.integers(-(1 << 63), (1 << 63) - 1) | st.just(10**17),
            reserved_nanousd=st.integers(-(1 << 63), (1 << 63) - 1),
            prompt_tokens=st.integers(-(1 << 63), (1 << 63) - 1),
            started_at=st.integers(-(1 << 63), (1 << 63) - 1) | st.just(1_700_000_000_000),
        ),
        max_size=9,
    ).map(
        lambda entries: [replace(entry, attempt_id=f"{n}-{entry.attempt_id}") for n, entry in enumerate(entries * 12)]
    )
)
def test_whatever_was_written_to_the_ledger_an_entry_behind_it_gets_its_row(entries: list[UsageEvent]) -> None:
    codec = Codec(Spend, "spend-value", open_registry(load()))
    sums = Projection({}, {})
    for offset, entry in enumerate([*entries, replace(ENTRY, tenant_id="default", user_id="anonymous")]):
        try:
            check(entry)
        except Permanent:
            continue
        rows = sums.apply(entry, partition=0, offset=offset, taken_ms=1_800_000_000_000, now_ms=1_800_000_000_000)
        for _, row in rows:
            codec.encode(row)
    assert len(rows) == 3
