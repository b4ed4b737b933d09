"""Which letters have nothing to make good any more? Those whose request was answered after it had failed.

Whoever asks a door again under the same ``idempotency-key`` makes a new try of the same request, and so does an
application that sends its record again. Once that is answered, to send the old record back would pay a second time: the
stage keeps what was paid for an hour (``completion.keep_s``), letters stay for thirty days. So ``outcomes`` is asked,
which is kept as long as they are and holds no text. Within that hour the stage's claim decides, also over a try that is
under way while somebody looks here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from forebay.contract.records import Outcome, ResponseStatus
from forebay.kafka.reader import TopicReader
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.operations.dead_letters.replay import is_observed
from forebay.settings import Settings

TOPIC = "outcomes"
_SKEW_MS = 60_000
"""So far may the clocks of two stages differ: from so long before the failure on outcomes are read."""


class Ended(Protocol):
    """What became of requests."""

    def since(self, request_ids: Collection[str], since_ms: int) -> Iterable[Outcome]:
        """Outcomes of these requests from a time on, in ms since the epoch; in the order of each request's."""
        ...


def with_answers(ended: Ended, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """``letters``, with the time at which the request of each was answered since it failed first, if it was."""
    found = list(letters)
    asked = [letter for letter in found if is_observed(letter) and letter.request_id]
    if not asked:
        return found
    answered: dict[str, list[Outcome]] = {}
    first_ms = min(letter.first_failed_at for letter in asked) - _SKEW_MS
    for outcome in ended.since({letter.request_id for letter in asked}, first_ms):
        if outcome.status is ResponseStatus.OK:
            answered.setdefault(outcome.request_id, []).append(outcome)
    return [_completed(letter, answered) for letter in found]


def _completed(letter: DeadLetter, answered: Mapping[str, Sequence[Outcome]]) -> DeadLetter:
    if not is_observed(letter):
        return letter
    times = [
        outcome.responded_at
        for outcome in answered.get(letter.request_id, ())
        if outcome.tenant_id == letter.tenant_id and outcome.responded_at >= letter.first_failed_at
    ]
    return replace(letter, answered_at=max(times, default=None))


class KafkaEnded:
    """The topic :data:`TOPIC` on the brokers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def since(self, request_ids: Collection[str], since_ms: int) -> Iterator[Outcome]:
        """See :class:`Ended`; up to the ends that the partitions have now. Raises as :class:`TopicReader` does."""
        keys = {request_id.encode() for request_id in request_ids}
        with TopicReader(self._settings, [TOPIC], since_ms=since_ms, keys=keys) as reader:
            for record in reader.read_to_end():
                if isinstance(record.value, Outcome):
                    yield record.value
