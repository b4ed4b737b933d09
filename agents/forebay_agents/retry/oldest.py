"""For how long has nobody looked at the oldest dead letter? Asked every half minute, for a metric and its alert.

A letter is open until something was done with it: replayed, parked, dropped. One that fails again after its replay is
a letter of its own. The topics are read on from where the last look ended; of a letter its id and time are kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from forebay.contract.clock import Clock, now_ms
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.reader import TopicReader
from forebay.operations.dead_letters.letters import letter_of, place_of
from forebay.settings import Settings
from forebay_agents.retry.metrics import OldestMetric

log = structlog.get_logger(__name__)

_LOOK_S = 30.0
LETTERS, NOTES = "dlq", "dlq.state"


class OpenLetters:
    """Letters with which nothing was done yet, from records of both topics in any order."""

    def __init__(self) -> None:
        self._failed_at: dict[str, int] = {}
        self._done: set[str] = set()

    def take(self, record: ReadRecord) -> None:
        """A record of ``dlq``, or of ``dlq.state``; one that cannot be read says nothing."""
        if record.source.topic == LETTERS:
            letter = letter_of(record.source)
            if letter.letter_id not in self._done:
                self._failed_at[letter.letter_id] = letter.failed_at
        elif record.value is not None:
            self._done.add(record.value.dead_letter_id)
            self._failed_at.pop(record.value.dead_letter_id, None)

    def forget(self, firsts: Mapping[tuple[str, int], int]) -> None:
        """Letters that have expired; ``firsts``: place to the oldest offset that is left."""

        def left(letter_id: str) -> bool:
            place = place_of(letter_id)
            return place is not None and place[2] >= firsts.get(place[:2], 0)

        self._failed_at = {letter_id: at for letter_id, at in self._failed_at.items() if left(letter_id)}
        self._done = {letter_id for letter_id in self._done if left(letter_id)}

    def oldest_s(self, at_ms: int) -> float:
        """Seconds since the oldest failed; 0: there is none."""
        oldest = min(self._failed_at.values(), default=at_ms)
        return max(0.0, (at_ms - oldest) / 1000)


class OldestWatch:
    """Looks at the brokers; a look blocks."""

    def __init__(self, settings: Settings, metric: OldestMetric, clock_ms: Clock = now_ms) -> None:
        self._settings = settings
        self._metric = metric
        self._clock_ms = clock_ms
        self._letters = OpenLetters()
        self._reader: TopicReader | None = None

    def look(self) -> None:
        """Read on, and set the metric. Raises what the brokers' client does."""
        if self._reader is None:
            self._reader = TopicReader(self._settings, [LETTERS, NOTES])
        for record in self._reader.read_to_end():
            self._letters.take(record)
        self._letters.forget(self._reader.firsts)
        self._metric.set(self._letters.oldest_s(self._clock_ms()))

    def close(self) -> None:
        """Leave the brokers."""
        if self._reader is not None:
            self._reader.close()

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look again and again. Without brokers, or the right to read, the metric stays; records go on regardless."""
        told = False
        while True:
            looking = asyncio.create_task(asyncio.to_thread(self.look))
            try:
                await asyncio.shield(looking)
                told = False
            except asyncio.CancelledError:
                await asyncio.wait([looking])
                self.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever a client library raises: the next look may do better
                if not told:
                    log.warning("dead_letters_not_watched", error=type(error).__name__)
                told = True
            await sleep(_LOOK_S)
