"""What became of the records of a replay? Each carries the id of its letter, and so does all that is made of it.

An answered request succeeded; one that was answered otherwise, or is a dead letter again, failed; one that failed twice
and waits in a retry topic is in trouble (once is no sign: at the end of an outage the first ones may come too early). A
record of a stage beside the request path (cost, evaluation, review) leaves no
outcome, and that of a response is not for operators to read: see
:class:`forebay.operations.dead_letters.replay.Replayer`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.records import Completion, ResponseStatus
from forebay.contract.topics import RETRY_LEVELS
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.reader import TopicReader
from forebay.settings import Settings

_IN_TROUBLE = 3
"""Number of the coming try from which on a record is in trouble."""
WATCHED = ("completions", "dlq", *RETRY_LEVELS)


class Coming(Protocol):
    """The records of the topics :data:`WATCHED` as they come; see :class:`forebay.kafka.reader.TopicReader`."""

    def wait(self, seconds: float) -> Sequence[ReadRecord]:
        """What comes next, if anything within so many seconds."""
        ...


@contextmanager
def watch(settings: Settings, replay_id: str) -> Iterator["TopicOutcomes"]:
    """The outcomes of a replay that has not begun yet, on the brokers."""
    with TopicReader(settings, WATCHED, from_beginning=False) as records:
        yield TopicOutcomes(records, replay_id)


class TopicOutcomes:
    """Counts what becomes of the records of one replay, each letter once."""

    def __init__(self, records: Coming, replay_id: str) -> None:
        self._records = records
        self._replay_id = replay_id
        self._succeeded: set[str] = set()
        self._failed: set[str] = set()
        self._retried: set[str] = set()

    def poll(self, seconds: float) -> None:
        """Take in what is new, for at most so long."""
        for record in self._records.wait(seconds):
            self._take(record)

    def counts(self) -> tuple[int, int, int]:
        """Succeeded, failed and waiting for a third try; what failed first and succeeded later has succeeded."""
        failed = self._failed - self._succeeded
        return len(self._succeeded), len(failed), len(self._retried - self._succeeded - failed)

    def _take(self, record: ReadRecord) -> None:
        source = record.source
        letter = h.text(source.headers, h.REPLAYED_LETTER)
        if letter is None or h.text(source.headers, h.REPLAY_ID) != self._replay_id:
            return
        if source.topic == "dlq":
            self._failed.add(letter)
        elif source.topic in RETRY_LEVELS:
            if (h.number(source.headers, h.ATTEMPT) or 0) >= _IN_TROUBLE:
                self._retried.add(letter)
        elif h.RETRY_STAGE not in source.headers and isinstance(record.value, Completion):
            # Else it is the replayed record itself, on its way to one stage, or nothing that can be read.
            answered = record.value.status is ResponseStatus.OK
            (self._succeeded if answered else self._failed).add(letter)
