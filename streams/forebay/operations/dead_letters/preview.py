"""What would a replay do? For each letter, without doing anything: its fate, and how its record would be changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from forebay.operations.dead_letters.letters import DeadLetter
from forebay.operations.dead_letters.originals import check_sendable
from forebay.operations.dead_letters.transform import RecordTransform, TransformError


class Fate(StrEnum):
    """Sent back, parked since it was replayed too often, or left open since it cannot be sent."""

    REPLAY = "replay"
    PARK = "park"
    LEAVE = "leave"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What would become of one letter.

    Attributes:
        diff: the change of its record, as a unified diff of JSON; it may show personal data of a sealed letter.
            ``None``: nothing would change it.
        problem: why it is left open.
    """

    letter: DeadLetter
    fate: Fate
    diff: str | None = None
    problem: str = ""


def previews(letters: Iterable[DeadLetter], max_replays: int, transform: RecordTransform | None) -> Iterator[Preview]:
    """A preview of each of ``letters``, which are whole and have their originals, in their order."""
    for letter in letters:
        try:
            if letter.replays >= max_replays:
                yield Preview(letter=letter, fate=Fate.PARK)
            else:
                check_sendable(letter)
                diff = None if transform is None else transform.diff(letter)
                yield Preview(letter=letter, fate=Fate.REPLAY, diff=diff)
        except TransformError as error:
            yield Preview(letter=letter, fate=Fate.LEAVE, problem=str(error))
