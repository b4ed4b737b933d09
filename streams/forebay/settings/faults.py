"""What is wrong with a configuration, where, and which name was meant?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_MOST = 3
_LONGEST = 120


@dataclass(frozen=True, kw_only=True, order=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        place: ``FILE:LINE`` or the name of a variable.
        key: what it is about, such as ``redaction.policy``; empty when that is the place.
        message: what is wrong with it, without the value: that may be a secret.
    """

    place: str
    key: str = ""
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.message}" if self.key else f"{self.place}: {self.message}"


class ConfigurationError(Exception):
    """The configuration cannot be used; the message names each key and what to do.

    Attributes:
        faults: what is wrong, one by one, where it is more than a sentence.
    """

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


def refusal(faults: Iterable[Fault]) -> ConfigurationError:
    """All ``faults`` as one error, a line for each."""
    found = in_order(faults)
    if len(found) == 1:
        return ConfigurationError(f"the configuration cannot be used: {found[0]}", found)
    lines = "".join(f"\n  {fault}" for fault in found)
    return ConfigurationError(f"the configuration cannot be used, for {len(found)} reasons:{lines}", found)


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Each once: variables, then the file from its top down."""

    def by_place(fault: Fault) -> tuple[bool, str, int, str]:
        file, _, line = fault.place.rpartition(":")
        return (True, file, int(line), fault.key) if file and line.isdecimal() else (False, fault.place, 0, fault.key)

    return tuple(sorted(dict.fromkeys(faults), key=by_place))


def shown(name: object) -> str:
    """A name that somebody wrote, as a terminal may have it: without control characters, and not endless."""
    text = str(name)
    text = printable(text) if text.strip() == text != "" else repr(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def printable(text: str) -> str:
    """``text`` with escapes for what steers a terminal, or the direction in which it is read."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def meant(name: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the names in ``known`` that ``name`` is nearest to; empty when none is near."""
    near = nearest(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def nearest(name: str, known: Iterable[str]) -> Sequence[str]:
    """At most three of ``known``, all equally near to ``name``: by slips of the pen, else by what they share.

    Case and the dashes of other tools count for nothing. difflib alone names the wrong one for some slips in short
    names, since it counts what is shared and not what went wrong.
    """
    candidates = list(dict.fromkeys(known))
    folded = _folded(name)
    most = max(1, len(folded) // 4)
    distances = {one: slips(folded, _folded(one), most) for one in candidates}
    least = min(distances.values(), default=most + 1)
    if least <= most:
        return sorted(one for one, distance in distances.items() if distance == least)[:_MOST]
    by_folded = {_folded(one): one for one in candidates}
    return [by_folded[match] for match in get_close_matches(folded[:_LONGEST], by_folded, n=1, cutoff=0.6)]


def slips(one: str, other: str, most: int) -> int:
    """Letters too many, missing, wrong or swapped with their neighbour (optimal string alignment), up to ``most`` + 1.

    See Boytsov, "Indexing methods for approximate dictionary searching" (2011), 2.2.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, last = last, current
    return min(last[-1], most + 1)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")
