"""The stage ``cost``: ``usage`` in, ``spend`` out, with two Faust tables in between.

Handlers of one lane start in the order of their records, and the projection is applied before the first ``await``: so
entries of a partition are applied in order though their deliveries overlap. A record is finished only when its
changelog writes are delivered too.

A table has as many partitions as ``usage`` had when it was made. Where some were added since, their rows go to those
that there are, in turn: a worker alone is exact so, several are not, and both say that the tables want to be made anew.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import faust
import structlog

from forebay.contract.clock import now_ms, now_s
from forebay.contract.handlers import Context, Output, Route, WriteAhead
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Alert, UsageEvent
from forebay.contract.windows import HOUR_MS
from forebay.history.plausible import check
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, RedisSettings, Settings, StageSettings
from forebay.state.conditions import Conditions, RedisConditions, alert_output
from forebay.state.redis_client import open_redis
from forebay_agents.cost.drift import DriftTeller, apart, few_tables
from forebay_agents.cost.projection import Projection
from forebay_agents.cost.sweeper import abandoned, forgettable
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import usage_output

log = structlog.get_logger(__name__)

_CHECK_MS = 60_000
"""Between two looks whether sums and attempts agree: a second of CPU for a million attempts."""


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

    @property
    def size(self) -> int | None:
        """How many partitions the changelog has; ``None`` while nobody has told."""
        found: int | None = self.app.consumer.topic_partitions(self.changelog_topic_name)
        return found

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

    def __init__(self, settings: CostSettings, kafka: KafkaSettings, conditions: Conditions) -> None:
        self._settings = settings
        self._partitions = kafka.partitions
        self._usage = topic_on_broker("usage", kafka)
        self._conditions = conditions
        self._teller = DriftTeller(conditions)
        self._checked_ms = 0
        self._grown = ""

    def warnings(self) -> Mapping[str, str]:
        """That the tables want to be made anew, if they do."""
        return {"tables_too_few": self._grown} if self._grown else {}

    def setup(self, app: faust.App) -> None:
        """Make the tables: in memory, with changelogs (RocksDB lost offsets under kill -9, see faust-facts)."""
        self._app = app
        self._tables = [
            ChangelogTable(app, name=name, partitions=self._partitions, key_type=str, value_type=None)
            for name in ("attempts", "spend")
        ]
        for table in self._tables:
            app.tables.add(table)
        attempts, spend = self._tables
        self._attempts, self._spend = attempts, spend
        self._projection = Projection(attempts, spend)

    async def handle(self, entry: UsageEvent, context: Context) -> Sequence[Output]:
        """The spend rows that ``entry`` changed. Raises ``Permanent`` for one that no call can have made."""
        check(entry)
        source = context.source
        for table in self._tables:
            table.partition = source.partition % (table.size or source.partition + 1)
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
                self._attempts.partition = partition % (self._attempts.size or partition + 1)
                del self._attempts[attempt_id]
            self._attempts.take_undelivered()
            if now - self._checked_ms >= _CHECK_MS:
                self._checked_ms = now
                await publish([alert_output(alert) for alert in await self._drift(now, now - keep_ms + HOUR_MS)])

    async def _drift(self, now: int, since_ms: int) -> list[Alert]:
        """What to tell of sums that are not what the ledger says."""
        ledger, tables = self._app.consumer.topic_partitions(self._usage), self._attempts.size
        if not ledger or not tables:
            return []  # not in the group yet
        if ledger > tables and not self._grown:
            log.error("tables_too_few", ledger=ledger, tables=tables, run="forebay spend rebuild")
        self._grown = few_tables(ledger, tables)
        mine = {place.partition for place in self._app.consumer.assignment() if place.topic == self._usage}
        found = apart(self._attempts, self._spend, partitions=mine, since_ms=since_ms)
        told = [*await self._teller.tell_of_partitions(ledger, tables, now), *await self._teller.tell(found, mine, now)]
        for alert in told:
            log.warning("ledger_drift", subject=alert.subject, state=alert.state.value, value=alert.value)
        return told


@asynccontextmanager
async def cost_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``cost``."""
    async with open_redis(settings) as client:  # knows of what people were told; nothing else waits for it
        conditions = Conditions(RedisConditions(client, settings[RedisSettings].key_prefix))
        handlers = CostStage(settings[CostSettings], settings[KafkaSettings], conditions)
        yield Stage(
            name="cost",
            routes=[Route(topic="usage", handle=handlers.handle, patient=True)],
            limits=settings[StageSettings].model_copy(update={"in_flight": 256, "window": 1024}),
            setup=handlers.setup,
            background=handlers.sweep,
            warnings=handlers.warnings,
        )
