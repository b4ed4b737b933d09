"""When is a failed record tried again? The scheduler stage: it holds records of the retry topics until they are due.

A record's timer is its ``forebay-due-at`` header, so a restart loses none. Holding is a task that sleeps; the lane's
window bounds how many, and beyond it the partition is paused by backpressure, not by sleeping in the poll path. A
record that is not due for long (a provider may ask for a day) goes to the end of its topic again and again meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import entry_points

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Context, Output, Route, WriteAhead
from forebay.contract.names import topics_of
from forebay.contract.topics import RETRY_LEVELS, TOPICS, Topic
from forebay.contract.wire import Delivered
from forebay.runtime.dead_letters import LONGEST_WAIT_S
from forebay.runtime.stage import Stage
from forebay.settings import Settings, StageSettings, TenantSettings
from forebay_agents.retry.metrics import METRIC
from forebay_agents.retry.oldest import OldestWatch

_HELD = 2_000
"""Records held at once per topic and worker: timers are cheap, records are not."""

LONGEST_HOLD_S = 1_800.0
"""Seconds that one record is held before it is put back: well below the stage's time-out, which would be a failure."""

_LONGEST_TIMER_S = LONGEST_WAIT_S + 3_600.0
"""A timer that runs longer than any that a stage sets, and an hour for its clock, is a foreign producer's: its record
would go round in its topic for ever."""


class Scheduler:
    """Sends records back to the stage they came from once they are due.

    Args:
        clock_ms: wall clock in ms since the epoch.
        sleep: both injected so that tests need not wait.
        others: stages of people's own: theirs go back to the topics that stages read, and applications do not write.
        topics: those that there are, by logical name.
    """

    def __init__(
        self,
        clock_ms: Clock = now_ms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        others: Collection[str] = (),
        topics: Mapping[str, Topic] = TOPICS,
    ) -> None:
        self._topics = topics
        self._others = others
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def handle(self, source: Delivered, _context: Context) -> list[Output]:
        """Wait until ``source`` is due; its original bytes for its origin topic, or for the same one when it is not."""
        origin, stage = h.text(source.headers, h.ORIGIN_TOPIC), h.text(source.headers, h.RETRY_STAGE)
        if origin is None or origin not in self._topics or origin in RETRY_LEVELS or stage is None:
            raise Permanent("undecodable", "a record of a retry topic names no origin topic or no stage")
        if not self._reads(stage, origin):
            raise Permanent("forged_retry", "a record of a retry topic is to go where its stage does not read")
        due_at = h.number(source.headers, h.DUE_AT) or 0
        wait_s = (due_at - self._clock_ms()) / 1000
        if wait_s > _LONGEST_TIMER_S:
            raise Permanent("undecodable", "a record of a retry topic is due later than any stage asks for")
        if wait_s > 0:
            await self._sleep(min(wait_s, LONGEST_HOLD_S))
        if wait_s > LONGEST_HOLD_S:
            return [Output(topic=source.topic, key=source.key, value=source.value, headers=dict(source.headers))]
        headers = {name: value for name, value in source.headers.items() if name != h.DUE_AT}
        return [Output(topic=origin, key=source.key, value=source.value, headers=headers)]

    def _reads(self, stage: str, origin: str) -> bool:
        """Whether ``stage`` reads ``origin``: to nowhere else is sent what a record of a retry topic says."""
        topic = self._topics[origin]
        return stage in topic.readers or (stage in self._others and bool(topic.readers) and not topic.outside)


@asynccontextmanager
async def retry_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``retry``."""
    limits = settings[StageSettings].model_copy(
        update={"in_flight": _HELD, "window": _HELD, "timeout_s": 2 * LONGEST_HOLD_S, "drain_s": 0.0}
    )
    scheduler = Scheduler(
        others=frozenset(entry.name for entry in entry_points(group="forebay.stages")) - {*h.STAGES},
        topics=topics_of(settings[TenantSettings]),
    )

    async def watch_dead_letters(_publish: WriteAhead) -> None:
        await OldestWatch(settings, METRIC).run()

    yield Stage(
        name="retry",
        routes=[Route(topic=level, handle=scheduler.handle, raw=True, patient=True) for level in RETRY_LEVELS],
        limits=limits,
        background=watch_dead_letters,
    )
