"""How is an entry of the ledger applied? With those of the next moment: each row that they change is written once.

Applied one by one, an entry was four to seven records, each with a write to a socket of its own. So entries wait for
0.4 s; then all that wait are applied to an overlay of the tables, in the order of their offsets, what they changed is
handed to the producer in one turn of the event loop, and once the brokers have it, the tables learn it. Only then the
entries' sums are told (:mod:`forebay_agents.cost.gathering.telling`), and only then they are acknowledged.

Nothing is handed over while the tables change hands: the stage says when its partitions were taken, and what waits then
goes on when the tables are whole again, or is left to whoever has its partition now (its handlers are cancelled). What
was handed over once and not delivered is applied again, with what came since. No wait is without an end: of a delivery
30 s, of an entry as long as any handler may take; then it comes again, and is a repetition if it was counted.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.records import UsageEvent, UsageStatus
from forebay.runtime.endings import innermost
from forebay_agents.cost.gathering.metrics import METRICS
from forebay_agents.cost.gathering.overlay import Batch
from forebay_agents.cost.gathering.telling import Asked, Telling
from forebay_agents.cost.projection import Keys, keys_of, record_of
from forebay_agents.cost.sweeper import opening_of

log = structlog.get_logger(__name__)

_GATHER_S = 0.4
_MOST = 512
"""Entries that are applied at once, however short they have waited: after an outage thousands come."""
_DELIVERED_S = 30.0
_AGAIN_S = 1.0
_READY_S = 0.05
"""Between two looks whether the tables are whole."""

Sleep = Callable[[float], Any]


class Table(Protocol):
    """A table as :mod:`forebay_agents.cost.gathering.tables` has it."""

    @property
    def rows(self) -> dict[str, Any]:
        """What is in memory."""
        ...

    def partition(self, of: int) -> int:
        """Of the changelog, for what is in partition ``of`` of the ledger."""
        ...

    def send(self, partition: int, key: str, value: Any) -> Any:
        """A future of the delivery."""
        ...

    def take_in(self, partition: int, key: str, value: Any) -> None:
        """Keep what a record says."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Hands:
    """What is this worker's: ``ready``: whether the tables are whole; ``mine``: its partitions of the ledger."""

    ready: Callable[[], bool]
    mine: Callable[[], Collection[int]]


@dataclass(eq=False, slots=True)
class _Waiting:
    entry: UsageEvent
    partition: int
    offset: int
    taken_ms: int
    answer: "asyncio.Future[Sequence[Output]]" = field(repr=False)
    sent: bool = False
    keys: Keys | None = None


class Gathering:
    """Entries that wait, and what becomes of them.

    Args:
        attempts: the tables.
        key: makes keys of records of attempts; none comes twice.
    """

    def __init__(
        self,
        attempts: Table,
        spend: Table,
        hands: Hands,
        *,
        key: Callable[[], str],
        telling: Telling | None = None,
        clock_ms: Clock = now_ms,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._attempts = attempts
        self._spend = spend
        self._hands = hands
        self._key = key
        self._telling = Telling() if telling is None else telling
        self._now_ms = clock_ms
        self._sleep = sleep
        self._waiting: list[_Waiting] = []
        self._many = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.unwritten = ""
        """What the last delivery to the changelogs failed of; empty: it did not."""

    async def book(self, entry: UsageEvent, *, partition: int, offset: int, taken_ms: int) -> Sequence[Output]:
        """Have ``entry`` applied; rows of ``spend`` to be told, none if a later entry's say it too.

        Raises:
            Exception: what is wrong with the entry's times.
        """
        answer: asyncio.Future[Sequence[Output]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, partition, offset, taken_ms, answer))
        if len(self._waiting) >= _MOST:
            self._many.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    def remember_open(self) -> None:
        """Have those calls told of, too, that began before this worker had their partition."""
        for row in self._attempts.rows.values():
            if (opening := opening_of(row)) is not None:
                self._telling.begun(keys_of(opening, row["at"]), row["partition"])

    def late(self) -> list[Output]:
        """Rows of calls that began a while ago and go on."""
        if not self._hands.ready():
            return []
        mine = self._hands.mine()
        return [row for keys, of in self._telling.late() if of in mine for row in self._told(keys)]

    async def close(self) -> None:
        """Apply nothing more: what waits is delivered again."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        """Lives as long as anything waits."""
        try:
            while self._waiting or len(self._telling):
                await self._gathered()
                while not self._hands.ready():
                    await self._sleep(_READY_S)
                if self._waiting and not await self._apply():
                    await self._sleep(_AGAIN_S)
                if self._hands.ready():
                    self._tell()
        except Exception as error:  # noqa: BLE001 - the entries come again when their time is over
            log.error("gathering_bug", error=type(error).__name__, where=innermost(error))
            METRICS.unwritten.inc()
        finally:
            self._running = None

    async def _gathered(self) -> None:
        wait = asyncio.ensure_future(self._sleep(_GATHER_S))
        many = asyncio.ensure_future(self._many.wait())
        try:
            await asyncio.wait({wait, many}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wait.cancel()
            many.cancel()

    async def _apply(self) -> bool:
        """Apply what waits; whether the brokers have it."""
        batch = self._taken()
        books = Batch(self._attempts.rows, self._spend.rows, self._now_ms())
        for one in list(batch):
            try:
                one.keys = books.take(one.entry, partition=one.partition, offset=one.offset, taken_ms=one.taken_ms)
            except Exception as error:  # noqa: BLE001 - of this entry alone: it is a dead letter, the others go on
                batch.remove(one)
                if not one.answer.done():
                    one.answer.set_exception(error)
        records = [
            *((self._attempts, of, self._key(), value) for of, value in books.attempts()),
            *((self._spend, of, key, value) for of, key, value in books.spend()),
        ]
        # No await from the look whether the tables are whole to here: what is sent belongs to them.
        sent = [table.send(table.partition(of), key, value) for table, of, key, value in records]
        for one in batch:
            one.sent = True
        if not await self._delivered(sent):
            self._waiting = batch + self._waiting
            return False
        METRICS.applied.inc(len(batch))
        METRICS.written.inc(len(sent))
        mine = self._hands.mine()
        for table, of, key, value in records:
            if of in mine:
                table.take_in(table.partition(of), key, value)
        for one in batch:
            self._applied(one)
        return True

    def _taken(self) -> list[_Waiting]:
        """What is to be applied, in order. The others wait on, or have ended: another worker's, or too late."""
        self._many.clear()
        waiting, mine = self._waiting, self._hands.mine()
        self._waiting = [one for one in waiting if one.partition not in mine and not one.answer.done()]
        batch = [one for one in waiting if one.partition in mine and (one.sent or not one.answer.done())]
        return sorted(batch, key=lambda one: (one.partition, one.offset))

    async def _delivered(self, sent: Sequence["asyncio.Future[Any]"]) -> bool:
        if not sent:
            return True
        done, late = await asyncio.wait(sent, timeout=_DELIVERED_S)
        problems = [type(error).__name__ for one in done if (error := one.exception()) is not None]
        if late:
            problems.append(f"no answer within {_DELIVERED_S:g} s")
        self.unwritten = problems[0] if problems else ""
        if problems:
            METRICS.unwritten.inc()
            log.error("tables_unwritten", records=len(sent), failed=len(problems), why=problems[0])
        return not problems

    def _applied(self, one: _Waiting) -> None:
        """What it waits for now: a repetition, and a call that began and is open, for nothing more."""
        if one.keys is None:
            _answer(one.answer, ())
        elif one.entry.status is UsageStatus.STARTED and "entry" in self._attempts.rows.get(one.entry.attempt_id, ()):
            self._telling.begun(one.keys, one.partition)
            _answer(one.answer, ())
        elif (earlier := self._telling.ask(Asked(one.keys, one.partition, one.answer))) is not None:
            _answer(earlier.answer, ())

    def _tell(self) -> None:
        mine = self._hands.mine()
        for asked in self._telling.due():
            if not asked.answer.done():
                asked.answer.set_result(self._told(asked.keys))
            elif asked.of in mine:  # it waited too long for the tables, and comes again as a repetition
                self._telling.begun(asked.keys, asked.of)

    def _told(self, keys: Keys) -> list[Output]:
        rows: Mapping[str, Any] = self._spend.rows
        return [Output(topic="spend", key=key, value=record_of(rows[key])) for key in keys if key in rows]


def _answer(answer: "asyncio.Future[Sequence[Output]]", outputs: Sequence[Output]) -> None:
    if not answer.done():
        answer.set_result(outputs)
