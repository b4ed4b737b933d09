"""The stage ``cost``: ``usage`` in, ``spend`` out, with two Faust tables in between.

Entries are applied together (:mod:`forebay_agents.cost.gathering`), in the order of their offsets. A record is finished
only when its changelog writes are delivered too, and the rows that it changed.

A table has as many partitions as ``usage`` had when it was made. Where some were added since, their rows go to those
that there are, in turn: a worker alone is exact so, several are not, and both say that the tables want to be made anew.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from forebay.contract.clock import now_ms
from forebay.contract.handlers import Context, Output, Route, WriteAhead
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Alert, UsageEvent
from forebay.contract.windows import HOUR_MS
from forebay.history.plausible import check
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, RedisSettings, Settings, StageSettings
from forebay.state.conditions import Conditions, RedisConditions, alert_output
from forebay.state.redis_client import open_redis
from forebay_agents.cost.drift import DriftTeller, apart, few_tables
from forebay_agents.cost.gathering.gathering import Gathering, Hands
from forebay_agents.cost.gathering.tables import AttemptsTable, SumsTable
from forebay_agents.cost.sweeper import abandoned, forgettable
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import usage_output

log = structlog.get_logger(__name__)

_CHECK_MS = 60_000
"""Between two looks whether sums and attempts agree: a second of CPU for a million attempts."""


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
        self._changing = False
        self._remembered = 0
        self._gathering: Gathering | None = None

    def warnings(self) -> Mapping[str, str]:
        """That the tables want to be made anew, or that their changelogs take nothing, if so."""
        unwritten = "" if self._gathering is None else self._gathering.unwritten
        told = {"tables_too_few": self._grown, "tables_unwritten": unwritten}
        return {kind: text for kind, text in told.items() if text}

    def setup(self, app: Any) -> None:
        """Make the tables."""
        self._app = app
        self._attempts = AttemptsTable(app, name="attempts", partitions=self._partitions, key_type=str, value_type=None)
        self._spend = SumsTable(app, name="spend", partitions=self._partitions, key_type=str, value_type=None)
        for table in (self._attempts, self._spend):
            app.tables.add(table)
        hands = Hands(ready=self._whole, mine=self._mine)
        self._gathering = Gathering(self._attempts, self._spend, hands, key=new_id)

    def revoked(self) -> None:
        """Partitions were taken: nothing is written until the tables are whole again."""
        self._changing = True

    async def close(self) -> None:
        """Apply nothing more."""
        if self._gathering is not None:
            await self._gathering.close()

    def _whole(self) -> bool:
        """Whether the tables are those of this worker's partitions, and it is known to be in the group.

        While partitions are being revoked they still are: what waits then is written, and so acknowledged.
        """
        self._changing = self._changing and bool(self._app.rebalancing)
        known = bool(self._attempts.size and self._spend.size)
        return known and not self._changing and bool(self._app.membership.confirmed())

    def _mine(self) -> set[int]:
        return {place.partition for place in self._app.consumer.assignment() if place.topic == self._usage}

    async def handle(self, entry: UsageEvent, context: Context) -> Sequence[Output]:
        """The spend rows that are to be told now. Raises ``Permanent`` for an entry that no call can have made."""
        check(entry)
        source = context.source
        assert self._gathering is not None  # records come after the tables were made
        return await self._gathering.book(
            entry, partition=source.partition, offset=source.offset, taken_ms=context.accepted_at
        )

    async def sweep(self, publish: WriteAhead) -> None:
        """Declare abandoned attempts unsettled, tell of long calls, and forget old ones, for ever."""
        assert self._gathering is not None  # the stage starts after its tables were made
        while True:
            await asyncio.sleep(self._settings.sweep_every_s)
            if not self._whole():
                continue
            now, after_ms = now_ms(), round(1000 * self._settings.unsettled_after_s)
            lost = abandoned(self._attempts.rows, now_ms=now, after_ms=after_ms)
            await publish([usage_output(entry) for entry in lost])
            if self._remembered != (times := self._app.rebalancing_count):
                self._remembered = times
                self._gathering.remember_open()
            await publish(self._gathering.late())
            since_ms = now - round(1000 * self._settings.remember_s)
            if self._whole():
                self._attempts.forget(forgettable(self._attempts.rows, before_ms=since_ms), since_ms)
            if now - self._checked_ms >= _CHECK_MS:
                self._checked_ms = now
                await publish([alert_output(alert) for alert in await self._drift(now, since_ms + HOUR_MS)])

    async def _drift(self, now: int, since_ms: int) -> list[Alert]:
        """What to tell of sums that are not what the ledger says."""
        ledger, tables = self._app.consumer.topic_partitions(self._usage), self._attempts.size
        if not ledger or not tables:
            return []  # not in the group yet
        if ledger > tables and not self._grown:
            log.error("tables_too_few", ledger=ledger, tables=tables, run="forebay spend rebuild")
        self._grown = few_tables(ledger, tables)
        mine = self._mine()
        found = apart(self._attempts.rows, self._spend.rows, partitions=mine, since_ms=since_ms)
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
        # An entry waits for those that come with it, and then until its rows are told: places for some seconds' worth.
        limits = settings[StageSettings].model_copy(update={"in_flight": 1024, "window": 2048})
        try:
            yield Stage(
                name="cost",
                routes=[Route(topic="usage", handle=handlers.handle, patient=True, restarts=True)],
                limits=limits,
                setup=handlers.setup,
                background=handlers.sweep,
                warnings=handlers.warnings,
                revoked=handlers.revoked,
            )
        finally:
            await handlers.close()
