"""Where do the records of dead letters come from? From the topic ``dlq``, and from those that letters came from."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from forebay.contract.wire import Delivered
from forebay.kafka.reader import read_topic, records_at
from forebay.operations.dead_letters.letters import Place
from forebay.settings import Settings


class Queue(Protocol):
    """What dead letters are read from."""

    def letters(self) -> Iterator[Delivered]:
        """All records of ``dlq``, oldest first within each partition."""
        ...

    def at(self, places: Collection[Place]) -> Mapping[Place, Delivered]:
        """The records at ``places``, of any topic; what is not there any more is left out."""
        ...


class KafkaQueue:
    """The queue on the brokers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def letters(self) -> Iterator[Delivered]:
        """All of them: where a choice goes by ids, :meth:`at` costs less."""
        return (record.source for record in read_topic(self._settings, "dlq"))

    def at(self, places: Collection[Place]) -> Mapping[Place, Delivered]:
        """Each with a seek of its own."""
        wanted = list(dict.fromkeys(places))
        found = records_at(self._settings, wanted)
        return {place: record.source for place, record in zip(wanted, found, strict=True) if record is not None}
