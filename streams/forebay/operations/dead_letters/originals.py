"""What is there to send back of a letter? Its bytes; where those were withheld, its record as long as that is kept."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from forebay.contract import headers as h
from forebay.contract.topics import Access, topic_named
from forebay.contract.wire import Delivered
from forebay.operations.dead_letters.letters import DeadLetter, Place
from forebay.operations.dead_letters.transform import TransformError
from forebay.privacy.outbound import WITHHELD

_WITHOUT = {
    "too_large": "they were too many for the dead letter queue",
    "not_sealable": "they could not be sealed",
    "refused": "the brokers did not take them",
    "unreadable": "they were never read",
}


def is_withheld(letter: DeadLetter) -> bool:
    """Whether ``letter`` has no bytes since the guard would not let them out (:mod:`forebay.privacy.outbound`)."""
    return letter.source.value is None and WITHHELD in letter.source.headers


def stage_of(letter: DeadLetter) -> str:
    """The stage that the record goes back to; a letter of the scheduler's names the one that it was waiting for."""
    return h.text(letter.source.headers, h.RETRY_STAGE) or letter.stage


def check_sendable(letter: DeadLetter) -> None:
    """Raise :class:`TransformError` if ``letter`` cannot be sent back; call :func:`with_originals` first."""
    topic = topic_named(letter.origin_topic)
    if topic is None:
        raise TransformError(f"{letter.letter_id}: it does not say which topic it came from")
    stage = stage_of(letter)
    if stage in h.STAGES and stage not in topic.readers:
        raise TransformError(f"{letter.letter_id}: {stage} does not read {letter.origin_topic}; somebody made it up")
    if letter.answered_at is not None:
        when = datetime.fromtimestamp(letter.answered_at / 1000, UTC).isoformat(timespec="seconds")
        raise TransformError(f"{letter.letter_id}: its request was answered since, at {when}: drop it")
    if not letter.whole:
        raise TransformError(f"{letter.letter_id}: it has expired")
    without = h.text(letter.source.headers, h.WITHOUT_BYTES)
    if without is not None:
        why = _WITHOUT.get(without, without)
        raise TransformError(f"{letter.letter_id}: it has none of its record's bytes, since {why}")
    if is_withheld(letter):
        restricted = topic.access is Access.RESTRICTED
        why = "is not for operators to read" if restricted else "has expired"
        raise TransformError(
            f"{letter.letter_id}: its bytes were withheld, and its record in {letter.origin_topic} {why}"
        )


def with_originals(
    read_places: Callable[[Collection[Place]], Mapping[Place, Delivered]], letters: Iterable[DeadLetter]
) -> list[DeadLetter]:
    """``letters``, the withheld ones with the bytes of their records; as they were where those have expired."""
    found = list(letters)
    records = read_places([place for letter in found if (place := _place(letter)) is not None])
    return [_completed(letter, records) for letter in found]


def _completed(letter: DeadLetter, records: Mapping[Place, Delivered]) -> DeadLetter:
    place = _place(letter)
    original = None if place is None else records.get(place)
    return letter if original is None else replace(letter, source=replace(letter.source, value=original.value))


def _place(letter: DeadLetter) -> Place | None:
    """Where the record of a withheld letter lay; ``None`` for other letters, and for those that do not say it.

    Records of restricted topics are not read: their letters are sealed, with their bytes, so that no operator needs the
    right to. One that is withheld all the same is left open.
    """
    partition = h.number(letter.source.headers, h.ORIGIN_PARTITION)
    offset = h.number(letter.source.headers, h.ORIGIN_OFFSET)
    topic = topic_named(letter.origin_topic)
    if not is_withheld(letter) or topic is None or partition is None or offset is None:
        return None
    if topic.access is Access.RESTRICTED:
        return None
    return letter.origin_topic, partition, offset
