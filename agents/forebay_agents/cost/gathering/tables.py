"""The tables of the stage, as Faust knows them: in memory, with changelogs (RocksDB lost offsets under kill -9).

They are not written row by row, as Faust would: what was changed is sent to the changelog, and kept in memory once it
is delivered there (:mod:`forebay_agents.cost.gathering.gathering`). What Faust reads of a changelog, after each
assignment, is taken in by the same rules.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import faust
from faust.types import TP

from forebay.contract.clock import now_s
from forebay.contract.json_lines import new_id
from forebay_agents.cost.gathering.rows import Row, apart, newest_attempt, newest_sums, unfolded
from forebay_agents.cost.projection import AttemptRow


class ChangelogTable(faust.Table[str, Any]):
    """A table whose records hold several rows: the partition is given, and deliveries can be awaited."""

    _size: int | None = None

    @property
    def rows(self) -> dict[str, Any]:
        """What is in memory: that of the partitions which this worker has."""
        store: Any = self.data
        found: dict[str, Any] = store.data
        return found

    @property
    def places(self) -> dict[str, int]:
        """Key to the partition where its row stands; by it Faust forgets what went to other workers."""
        store: Any = self.data
        found: dict[str, int] = store._key_partition  # noqa: SLF001 - Faust's store writes it for what it reads itself
        return found

    @property
    def size(self) -> int | None:
        """How many partitions the changelog has; ``None`` until somebody has told.

        Kept: while the cluster's metadata are fetched anew, the client knows for a moment of none. A record for a
        partition that there is not ends Faust's producer, and with it the worker; so one stood still, in a test that
        has more partitions in the ledger than in the tables.
        """
        self._size = self.app.consumer.topic_partitions(self.changelog_topic_name) or self._size
        return self._size

    def partition(self, of: int) -> int:
        """Where rows go whose entries are in partition ``of`` of the ledger."""
        return of % (self.size or of + 1)

    def send(self, partition: int, key: str, value: Any) -> Any:
        """A future of the record's delivery; no ``value``: the record is deleted.

        As the base class does, but stamped by the brokers' time: Kafka 4 refuses what is an hour ahead of it.
        """
        return self.changelog_topic.send_soon(
            key=key,
            value=value,
            partition=partition,
            timestamp=now_s(),
            key_serializer=self.key_serializer,
            value_serializer="raw" if value is None else self.value_serializer,
            callback=self._on_changelog_sent,
            eager_partitioning=True,
        )

    def take_in(self, partition: int, key: str, value: Any) -> None:
        """Keep what a record of the changelog says."""
        raise NotImplementedError

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """What Faust read of the changelog."""
        for event in batch:
            value = None if event.message.value is None else event.value
            self.take_in(event.message.partition, event.key, value)

    def _keep(self, partition: int, key: str, row: Any) -> None:
        self.rows[key] = row
        self.places[key] = partition

    def _drop(self, key: str) -> None:
        self.rows.pop(key, None)
        self.places.pop(key, None)


class SumsTable(ChangelogTable):
    """Rows of ``spend``."""

    def take_in(self, partition: int, key: str, value: Any) -> None:
        """See :class:`ChangelogTable`."""
        if value is None:
            self._drop(key)
            return
        for name, row in unfolded(key, value):
            known: Row | None = self.rows.get(name)
            if newest_sums(known, row) is row:
                self._keep(partition, name, row)


class AttemptsTable(ChangelogTable):
    """Rows of attempts, and which records they stand in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._alone: set[str] = set()
        self._together: dict[str, tuple[int, int]] = {}

    def take_in(self, partition: int, key: str, value: Any) -> None:
        """See :class:`ChangelogTable`."""
        if value is None:
            if self._together.pop(key, None) is None:
                self._alone.discard(key)
                self._drop(key)
            return
        several = apart(value)
        if several is None:
            self._alone.add(key)
        else:
            self._together[key] = partition, max((row["at"] for row in several.values()), default=0)
        for attempt_id, row in ({key: value} if several is None else several).items():
            known: AttemptRow | None = self.rows.get(attempt_id)
            if newest_attempt(known, row) is row:
                self._keep(partition, attempt_id, row)

    def send_together(self, partition: int, value: Mapping[str, Any]) -> tuple[str, Any]:
        """Send several rows; the key of their record, and a future of its delivery."""
        key = new_id()
        return key, self.send(partition, key, value)

    def forget(self, attempt_ids: Iterable[str], before_ms: int) -> None:
        """Forget these, which are all of before ``before_ms``, and the records that hold no other."""
        for attempt_id in attempt_ids:
            partition = self.places.get(attempt_id)
            if attempt_id in self._alone and partition is not None:
                self.send(partition, attempt_id, None)
            self._alone.discard(attempt_id)
            self._drop(attempt_id)
        for key in [key for key, (_, newest_ms) in self._together.items() if newest_ms < before_ms]:
            self.send(self._together.pop(key)[0], key, None)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Forget also where the rows stood of what went to other workers."""
        ours = {place.partition for place in active_tps}
        self._together = {key: at for key, at in self._together.items() if at[0] in ours}
        await super().on_recovery_completed(active_tps, standby_tps)
        self._alone &= self.rows.keys()
