"""What do several entries change in the tables? Computed beside them: the tables learn it once it is delivered.

So whatever ends half way (a delivery that fails, a partition that goes elsewhere) leaves the tables as the changelogs
have them, and the same entries give the same changes when they are applied again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from forebay.contract.records import UsageEvent
from forebay_agents.cost.gathering.rows import Row, folded, together
from forebay_agents.cost.projection import AttemptRow, Keys, Projection

T = TypeVar("T")


class Overlay(MutableMapping[str, T]):
    """A table, and what was changed of it since: ``changed``."""

    def __init__(self, table: Mapping[str, T]) -> None:
        self._table = table
        self.changed: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        return self.changed[key] if key in self.changed else self._table[key]

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dictionary; the base class would raise and catch for each key that is new."""
        return self.changed[key] if key in self.changed else self._table.get(key, default)

    def __setitem__(self, key: str, value: T) -> None:
        self.changed[key] = value

    def __delitem__(self, key: str) -> None:
        raise NotImplementedError("the projection deletes nothing")

    def __iter__(self) -> Iterator[str]:
        yield from self.changed.keys() | self._table.keys()

    def __len__(self) -> int:
        return len(self.changed.keys() | self._table.keys())


class Batch:
    """Entries that are applied together, in the order of their offsets."""

    def __init__(self, attempts: Mapping[str, AttemptRow], spend: Mapping[str, Row], now_ms: int) -> None:
        self._attempts = Overlay[AttemptRow](attempts)
        self._spend = Overlay[Row](spend)
        self._projection = Projection(self._attempts, self._spend)
        self._now_ms = now_ms
        self._of_attempts: dict[str, int] = {}
        self._of_keys: dict[Keys, int] = {}

    def take(self, entry: UsageEvent, *, partition: int, offset: int, taken_ms: int) -> Keys | None:
        """Keys of the rows that have ``entry`` now; ``None`` for a repetition. Raises as the projection does."""
        keys = self._projection.take(entry, partition=partition, offset=offset, taken_ms=taken_ms, now_ms=self._now_ms)
        if keys is not None:
            if entry.attempt_id in self._attempts.changed:
                self._of_attempts[entry.attempt_id] = partition
            if any(key in self._spend.changed for key in keys):
                self._of_keys[keys] = partition
        return keys

    def attempts(self) -> Iterator[tuple[int, Mapping[str, Mapping[str, AttemptRow]]]]:
        """Partition of the ledger, and the value of a record of the attempts' changelog."""
        changed: defaultdict[int, dict[str, AttemptRow]] = defaultdict(dict)
        for attempt_id, partition in self._of_attempts.items():
            changed[partition][attempt_id] = self._attempts.changed[attempt_id]
        for partition, rows in changed.items():
            for value in together(rows.items()):
                yield partition, value

    def spend(self) -> Iterator[tuple[int, str, Mapping[str, Row]]]:
        """Partition of the ledger, key and value of a record of the sums' changelog."""
        for keys, partition in self._of_keys.items():
            yield partition, *folded(keys, self._spend)
