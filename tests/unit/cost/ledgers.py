"""Ledgers of any order with repetitions, and the sums that they have to give."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay.contract.windows import window_start

HOUR = 3_600_000
DAY = 24 * HOUR
TOMORROW = 500 * DAY


def entry(attempt: str, status: UsageStatus, **fields: Any) -> UsageEvent:
    """A ledger entry as the stages make it."""
    known: dict[str, Any] = {"tenant_id": "t", "user_id": "u", "model": "m", "started_at": 10 * HOUR}
    return UsageEvent(attempt_id=attempt, status=status, **(known | fields))


def started(attempt: str, reserved: int = 900, **fields: Any) -> UsageEvent:
    return entry(attempt, UsageStatus.STARTED, cost_nanousd=reserved, reserved_nanousd=reserved, **fields)


def settled(attempt: str, cost: int, reserved: int = 900, **fields: Any) -> UsageEvent:
    return entry(attempt, UsageStatus.SETTLED, cost_nanousd=cost, reserved_nanousd=reserved, **fields)


_COSTS = st.integers(0, 1_000)
_BEGINNINGS = st.sampled_from([0, HOUR - 1, HOUR, TOMORROW])


def taken_ms(offset: int) -> int:
    """When the brokers took the entry at ``offset``."""
    return HOUR + offset * HOUR // 3


@st.composite
def ledgers(draw: st.DrawFn) -> list[UsageEvent]:
    """Entries of a few attempts, each possibly produced several times, at any place."""
    entries: list[UsageEvent] = []
    for number in range(draw(st.integers(1, 4))):
        common = {"user_id": draw(st.sampled_from("uv")), "started_at": draw(_BEGINNINGS)}
        opening = started(f"a{number}", draw(_COSTS), **common)
        end = draw(st.sampled_from([*UsageStatus]))
        if end is UsageStatus.STARTED:  # it never ended
            entries.append(opening)
            continue
        closing = replace(opening, status=end, cost_nanousd=draw(_COSTS), prompt_tokens=draw(_COSTS))
        entries += [replace(closing, saved_nanousd=draw(_COSTS))] if end is UsageStatus.AVOIDED else [opening, closing]
    repeated = draw(st.lists(st.sampled_from(entries), max_size=8))
    return draw(st.permutations([*entries, *repeated]))


def expected(ledger: list[UsageEvent]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Sums over distinct attempts, by user and hour: calls, failed, avoided, tokens, cost, pending, saved."""
    sums: dict[tuple[str, int], list[int]] = {}
    by_attempt: dict[str, dict[UsageStatus, UsageEvent]] = {}
    booked_for: dict[str, int] = {}
    for offset, item in enumerate(ledger):
        by_attempt.setdefault(item.attempt_id, {})[item.status] = item
        booked_for.setdefault(item.attempt_id, min(item.started_at, taken_ms(offset)))
    for attempt, states in by_attempt.items():
        any_entry = next(iter(states.values()))
        row = sums.setdefault((any_entry.user_id, window_start(WindowKind.HOUR, booked_for[attempt])), [0] * 7)
        opening = states.get(UsageStatus.STARTED)
        if opening is not None:
            row[0] += 1
            closed = states.keys() & {UsageStatus.SETTLED, UsageStatus.FAILED}
            row[5] += 0 if closed else opening.reserved_nanousd
        row[1] += UsageStatus.FAILED in states
        if (avoided := states.get(UsageStatus.AVOIDED)) is not None:
            row[2] += 1
            row[6] += avoided.saved_nanousd
        if (final := states.get(UsageStatus.SETTLED)) is not None:
            row[3] += final.prompt_tokens
            row[4] += final.cost_nanousd
    return {key: tuple(row) for key, row in sums.items()}


def folded_by(by_hour: dict[tuple[str, int], tuple[int, ...]], kind: WindowKind) -> dict[tuple[str, int], Any]:
    folded: dict[tuple[str, int], tuple[int, ...]] = {}
    for (user, at), row in by_hour.items():
        key = (user, window_start(kind, at))
        folded[key] = tuple(a + b for a, b in zip(folded.get(key, (0,) * 7), row, strict=True))
    return folded


def sums_of(rows: Iterable[Spend], kind: WindowKind) -> dict[tuple[str, int], tuple[int, ...]]:
    """What rows say, as :func:`expected` has it."""
    return {
        (row.user_id, row.window_start): (
            row.calls, row.failed, row.avoided, row.prompt_tokens, row.cost_nanousd, row.pending_nanousd,
            row.saved_nanousd,
        )
        for row in rows if row.window is kind
    }  # fmt: skip
