"""The stage ``cost``: ``usage`` in, ``spend`` out, with two Faust tables in between.

Handlers of one lane start in the order of their records, and the projection is applied before the first ``await``: so
entries of a partition are applied in order though their deliveries overlap. A record is finished only when its
changelog writes are delivered too.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import faust

from forebay.contract.clock import now_ms, now_s
from forebay.contract.handlers import Context, Output, Route, WriteAhead
from forebay.contract.records import UsageEvent
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, Settings, StageSettings
from forebay_agents.cost.plausible import check
from forebay_agents.cost.projection import Projection
from forebay_agents.cost.sweeper import abandoned, forgettable
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import usage_output


class ChangelogTable(faust.Table[str, Any]):
    """A Faust table that is written from a lane: the partition is given, and deliveries can be awaited.

    Faust itself takes the partition from the stream's current event, and waits for nobody.
    """

    partition = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.undelivered: list[Any] = []

    def partition_for_key(self, _key: Any) -> int:
        """The partition of the record that is being handled."""
        return self.partition

    def send_changelog(
        self, partition: Any, key: Any, value: Any, key_serializer: Any = None, value_serializer: Any = None
    ) -> Any:
        """Send, and remember what to wait for.

        As the base class does, but stamped by the brokers' time: Kafka 4 refuses what is an hour ahead of it.
        """
        sent = self.changelog_topic.send_soon(
            key=key,
            value=value,
            partition=partition,
            timestamp=now_s(),
            key_serializer=key_serializer or self.key_serializer,
            value_serializer=value_serializer or self.value_serializer,
            callback=self._on_changelog_sent,
            eager_partitioning=True,
        )
        self.undelivered.append(sent)
        return sent

    def take_undelivered(self) -> list[Any]:
        """Futures of the writes since the last call."""
        taken, self.undelivered = self.undelivered, []
        return taken


class CostStage:
    """Handlers of the stage; the tables are made when the Faust app exists."""

    def __init__(self, settings: CostSettings, partitions: int) -> None:
        self._settings = settings
        self._partitions = partitions

    def setup(self, app: faust.App) -> None:
        """Make the tables: in memory, with changelogs (RocksDB lost offsets under kill -9, see faust-facts)."""
        self._tables = [
            ChangelogTable(app, name=name, partitions=self._partitions, key_type=str, value_type=None)
            for name in ("attempts", "spend")
        ]
        for table in self._tables:
            app.tables.add(table)
        attempts, spend = self._tables
        self._attempts = attempts
        self._projection = Projection(attempts, spend)

    async def handle(self, entry: UsageEvent, context: Context) -> Sequence[Output]:
        """The spend rows that ``entry`` changed. Raises ``Permanent`` for one that no call can have made."""
        check(entry)
        source = context.source
        for table in self._tables:
            table.partition = source.partition
        rows = self._projection.apply(
            entry,
            partition=source.partition,
            offset=source.offset,
            taken_ms=context.accepted_at,
            now_ms=now_ms(),
        )
        await asyncio.gather(*(write for table in self._tables for write in table.take_undelivered()))
        return [Output(topic="spend", key=key, value=row) for key, row in rows]

    async def sweep(self, publish: WriteAhead) -> None:
        """Declare abandoned attempts unsettled, and forget old ones, for ever."""
        while True:
            await asyncio.sleep(self._settings.sweep_every_s)
            now, after_ms = now_ms(), round(1000 * self._settings.unsettled_after_s)
            await publish([usage_output(entry) for entry in abandoned(self._attempts, now_ms=now, after_ms=after_ms)])
            keep_ms = round(1000 * self._settings.remember_s)
            for attempt_id, partition in forgettable(self._attempts, now_ms=now, after_ms=keep_ms):
                self._attempts.partition = partition
                del self._attempts[attempt_id]
            self._attempts.take_undelivered()


@asynccontextmanager
async def cost_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``cost``."""
    handlers = CostStage(settings[CostSettings], settings[KafkaSettings].partitions)
    yield Stage(
        name="cost",
        routes=[Route(topic="usage", handle=handlers.handle, patient=True)],
        limits=settings[StageSettings].model_copy(update={"in_flight": 256, "window": 1024}),
        setup=handlers.setup,
        background=handlers.sweep,
    )
