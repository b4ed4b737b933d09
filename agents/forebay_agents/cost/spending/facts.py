"""What does an attempt, or a row of spend, add to sums? The same whether it is read from the brokers or from a file.

An attempt counts once, by its newest status: a closing entry beats an open one, and of several closing ones the first
counts, as in the projection. So entries may be doubled and in any order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import add
from typing import NamedTuple

from forebay.contract.records import Spend, UsageEvent, UsageStatus
from forebay.history.booking import booked_for

UNKNOWN = "unknown"
"""Tier and purpose in rows from before rows had them."""


class Amounts(NamedTuple):
    """Sums, under the names that people get; money is nano-dollars. ``unpriced_calls``: settled without a price."""

    calls: int = 0
    failed: int = 0
    avoided: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanousd: int = 0
    pending_nanousd: int = 0
    saved_cache_nanousd: int = 0
    saved_tier_nanousd: int = 0
    saved_compression_nanousd: int = 0
    unpriced_calls: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """Both together."""
        return Amounts._make(map(add, self, other))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Amounts, and all that they can be grouped by; ``at_ms``: when, or the begin of the row's window."""

    tenant: str
    user: str
    model: str
    tier: str
    purpose: str
    at_ms: int
    amounts: Amounts
    key: str = ""
    task: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entered:
    """A ledger entry where it was read.

    Attributes:
        taken_ms: when the brokers took it; ``None``: nobody knows.
        place: partition and offset.
    """

    entry: UsageEvent
    taken_ms: int | None = None
    place: tuple[int, int] | None = None


_RANK = {
    UsageStatus.STARTED: 0,
    UsageStatus.UNSETTLED: 1,
    UsageStatus.AVOIDED: 2,
    UsageStatus.FAILED: 2,
    UsageStatus.SETTLED: 2,
}


def attempts(entries: Iterable[Entered]) -> Iterator[tuple[UsageEvent, int]]:
    """The entry that counts of each attempt, and for when it is booked, ms since the epoch."""
    newest: dict[str, Entered] = {}
    taken: dict[str, int] = {}
    for found in entries:
        attempt_id = found.entry.attempt_id
        if found.taken_ms is not None:
            taken[attempt_id] = min(found.taken_ms, taken.get(attempt_id, found.taken_ms))
        known = newest.get(attempt_id)
        if known is None or _counts_more(found, known):
            newest[attempt_id] = found
    for attempt_id, found in newest.items():
        yield found.entry, booked_for(found.entry, taken.get(attempt_id))


def _counts_more(found: Entered, known: Entered) -> bool:
    rank, other = _RANK[found.entry.status], _RANK[known.entry.status]
    if rank != other:
        return rank > other
    return found.place is not None and known.place is not None and found.place < known.place


def of_attempts(entries: Iterable[Entered]) -> Iterator[Fact]:
    """A fact of each attempt."""
    for entry, at_ms in attempts(entries):
        yield Fact(
            tenant=entry.tenant_id,
            user=entry.user_id,
            model=entry.model,
            tier=entry.tier or UNKNOWN,
            purpose=entry.purpose.value,
            at_ms=at_ms,
            amounts=_amounts(entry),
            key=entry.key_id or "",
            task=entry.task or "",
            labels=entry.labels,
        )


def _amounts(entry: UsageEvent) -> Amounts:
    match entry.status:
        case UsageStatus.AVOIDED:
            return Amounts(avoided=1, saved_cache_nanousd=entry.saved_nanousd)
        case UsageStatus.FAILED:
            return Amounts(calls=1, failed=1)
        case UsageStatus.SETTLED:
            return Amounts(
                calls=1,
                input_tokens=entry.prompt_tokens,
                cached_tokens=entry.cached_prompt_tokens,
                cache_write_tokens=entry.cache_write_tokens + entry.cache_write_1h_tokens,
                output_tokens=entry.completion_tokens,
                reasoning_tokens=entry.reasoning_tokens,
                cost_nanousd=entry.cost_nanousd,
                saved_tier_nanousd=entry.saved_tier_nanousd,
                saved_compression_nanousd=entry.saved_compression_nanousd,
                unpriced_calls=int(not entry.priced),
            )
        case _:
            return Amounts(calls=1, pending_nanousd=entry.cost_nanousd)


def of_rows(rows: Iterable[Spend]) -> Iterator[Fact]:
    """A fact of each row, but of those of nothing, which a rebuild leaves of what was wrong."""
    for row in rows:
        amounts = Amounts(
            calls=row.calls,
            failed=row.failed,
            avoided=row.avoided,
            input_tokens=row.prompt_tokens,
            cached_tokens=row.cached_prompt_tokens,
            cache_write_tokens=row.cache_write_tokens + row.cache_write_1h_tokens,
            output_tokens=row.completion_tokens,
            reasoning_tokens=row.reasoning_tokens,
            cost_nanousd=row.cost_nanousd,
            pending_nanousd=row.pending_nanousd,
            saved_cache_nanousd=row.saved_nanousd,
            saved_tier_nanousd=row.saved_tier_nanousd,
            saved_compression_nanousd=row.saved_compression_nanousd,
            unpriced_calls=row.unpriced_calls,
        )
        if not any(amounts):
            continue
        yield Fact(
            tenant=row.tenant_id,
            user=row.user_id,
            model=row.model,
            tier=row.tier or UNKNOWN,
            purpose=row.purpose or UNKNOWN,
            at_ms=row.window_start,
            amounts=amounts,
        )
