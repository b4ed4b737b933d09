"""Who looks at a topic? Of one with personal data that is written down before the first record is shown."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from forebay.contract.topics import TOPICS, Access, topic_named
from forebay.operations.audit.recording import Act, Recorder
from forebay.operations.choices import InvalidChoiceError

T = TypeVar("T")


@contextmanager
def watched(
    topic: str, records: Iterable[T], record: Recorder, *, limit: int = 0, restricted: bool = False
) -> Iterator[Iterator[T]]:
    """The ``records`` of ``topic``, to be looked at while this is entered.

    Args:
        records: read when they are asked for, not before.
        limit: so many at most; 0: all.
        restricted: whoever looks says that they may see personal data.

    Raises:
        InvalidChoiceError: there is no such topic, or it holds personal data and that was not said.
        PublishError: it cannot be written down; nothing is shown.
    """
    known = topic_named(topic)
    if known is None:
        raise InvalidChoiceError(f"there is no topic {topic!r}; topics: {', '.join(TOPICS)}")
    some = islice(records, limit or None)
    if known.access is Access.INTERNAL:
        yield some
        return
    if not restricted:
        raise InvalidChoiceError(f"{topic} holds personal data; say --restricted if you may see it")
    with record("topic.read", subject=topic) as act:
        yield _counted(some, act)


def _counted(records: Iterable[T], act: Act) -> Iterator[T]:
    for act.count, one in enumerate(records, start=1):
        yield one
