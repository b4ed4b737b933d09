"""Do the sums say what the attempts cost? Asked every minute of the two tables, which are written independently.

A row of ``attempts`` has the cost of its attempt from when it was closed, and the rows of ``spend`` of an hour have the
sum: of each partition and hour both have to be the same. It takes no look at a broker, and finds what was lost or added
twice on the way from one to the other, whoever did it: a changelog that was cut, a user whose entries come by another
partition since some were added, a mistake of ours. What both tables lack only ``forebay spend rebuild`` finds, and
``forebay spend reconcile``.

After a crash one table may be ahead until the entry is delivered again: so what differs has to differ by the same
amount at the next look. Hours with rows that do not say enough are left out: those of before there were these checks,
and of users whose entries came by several partitions.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, Severity, WindowKind
from forebay.contract.windows import HOUR_MS
from forebay.state.conditions import Conditions
from forebay_agents.cost.projection import SEEN, AttemptRow
from forebay_agents.models.prices.rates import NANO

REBUILD = "Stop the cost workers, run `forebay spend rebuild`, start them again."

_PlaceHour = tuple[int, int]
"""Partition, and when the hour began, ms since the epoch."""


def apart(
    attempts: Mapping[str, AttemptRow],
    spend: Mapping[str, Mapping[str, Any]],
    *,
    partitions: Collection[int],
    since_ms: int,
) -> dict[_PlaceHour, int]:
    """By how many nano-dollars the sums of an hour are above what its attempts cost, where they differ.

    Args:
        partitions: that this worker has.
        since_ms: attempts of before may be forgotten already.
    """
    sums: Counter[_PlaceHour] = Counter()
    unknown: set[_PlaceHour] = set()
    for attempt in attempts.values():
        hour = attempt["partition"], attempt["at"] - attempt["at"] % HOUR_MS
        if "cost" in attempt:
            sums[hour] -= attempt["cost"]
        elif "closed" in attempt:
            unknown.add(hour)
    for row in spend.values():
        if row["window"] == WindowKind.HOUR.value and row["window_start"] >= since_ms:
            places = [int(partition) for partition in row.get(SEEN, ())]
            if len(places) == 1:
                sums[places[0], row["window_start"]] += row.get("cost_nanousd", 0)
            else:
                unknown |= {(place, row["window_start"]) for place in places or partitions}
    return {
        place: amount
        for place, amount in sums.items()
        if amount and place[0] in partitions and place[1] >= since_ms and place not in unknown
    }


def few_tables(ledger: int, tables: int) -> str:
    """What to do about a ledger with more partitions than the tables; empty: nothing."""
    return f"usage has {ledger} partitions, and the tables {tables}. {REBUILD}" if ledger > tables else ""


class DriftTeller:
    """Makes alerts of sums that stay apart from what attempts cost, one for each partition."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._before: Mapping[_PlaceHour, int] = {}

    async def tell(self, found: Mapping[_PlaceHour, int], partitions: Collection[int], now_ms: int) -> Sequence[Alert]:
        """What to tell; ``found``: see :func:`apart`."""
        stays = {place: amount for place, amount in found.items() if self._before.get(place) == amount}
        self._before = found
        told: list[Alert] = []
        for partition in sorted(partitions):
            of_it = [amount for (place, _), amount in stays.items() if place == partition]
            if of_it or not any(place == partition for place, _ in found):
                told += await self._conditions.note(_alert(partition, of_it, now_ms), holds=bool(of_it))
        return told

    async def tell_of_partitions(self, ledger: int, tables: int, now_ms: int) -> Sequence[Alert]:
        """The same for a ledger that has more partitions than the tables."""
        alert = Alert(
            alert_id=new_id(),
            kind="ledger_drift",
            severity=Severity.WARNING,
            subject="usage",
            message=f"usage has {ledger} partitions, and the tables of cost have {tables}: sums of users whose entries "
            "go to another partition now may be wrong",
            value=ledger,
            threshold=tables,
            created_at=now_ms,
            summary="partitions were added to the ledger",
            action=REBUILD,
        )
        return await self._conditions.note(alert, holds=ledger > tables)


def _alert(partition: int, amounts: Sequence[int], now_ms: int) -> Alert:
    off = sum(amounts)
    return Alert(
        alert_id=new_id(),
        kind="ledger_drift",
        severity=Severity.WARNING,
        subject=f"usage/{partition}",
        message=f"spend of {len(amounts)} hours is off what its attempts cost, by {off:+,} nano-dollars in all",
        value=off / NANO,
        created_at=now_ms,
        summary="spend does not say what the ledger says",
        action=f"{REBUILD} It says what was wrong.",
    )
