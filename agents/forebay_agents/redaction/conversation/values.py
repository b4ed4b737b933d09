"""Where in an answer are numbers and dates? In digits, in groups, with letters among them, or as words.

"5 0 9 2", "318 772", "a 45 f 32", "nine four double three", "fourth of july nineteen eighty two".
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from forebay_agents.redaction.conversation.cues import Cues
from forebay_agents.redaction.conversation.words import Word
from forebay_agents.redaction.detection.names.words import listed

_TIGHT = re.compile(r"[ \t]{0,2}[\-./#+()]?[ \t]{0,2}|[ \t]?\([ \t]?|\)[ \t]?")
"""What may stand between two groups of one number."""
_LOOSE = re.compile(r"[ \t,.\-\n]{0,4}")
_ORDINAL = re.compile(r"\d{1,2}(?:st|nd|rd|th|er|re|a|e|o|º|ª|го)")
_SHORT = 3
"""Letters of a group among the digits of a code: "jv 65 jh"."""
_LINKS = listed(
    "and or is to und et oder ou amd nd no not was now for but ok yes so are my its it the num nr acc ac ssn dob pin "
    "cvv"
)
_PARTICLES = listed(
    "at on in of hi sir mam you we he me can am pm do if an by im der die das ist es le la un est de el en mi il os da "
    "na je het den too ma ya oh th st rd"
)
"""Short words that are no group of a code, but for the latter between two short numbers: "6 de 34"."""
_FEW = 3
"""Digits of a short number."""
_APOSTROPHES = ("'", "’")
_CURRENCY = "$€£¥₹₽%"
_SPOKEN = 3
"""Words in a row that are a number as it is said."""
_DATED = 2
_SUM = 7
"""Digits from which on a number is no sum of money."""
_OF = listed("of von de di van")
"""Between an amount and its figure: "an amount of 4500"."""


class Value(NamedTuple):
    """``text[start:end]``: a number of so many digits and letters, or a date."""

    start: int
    end: int
    digits: int
    letters: int
    first: int
    last: int
    """Of its words; ``last`` is not one of them."""


def numbers(text: str, read: Sequence[Word], cues: Cues, *, letters: bool) -> list[Value]:
    """Numbers in ``read``, the words of a turn.

    Args:
        letters: whether short groups of letters belong to it.
    """
    found: list[Value] = []
    at = 0
    while at < len(read):
        end = _group_end(text, read, at, letters=letters)
        if end > at:
            found.append(_value(text, read, at, end))
            at = end
            continue
        end = at
        while end < len(read) and _spoken(read[end].folded, cues) and (end == at or _follows(text, read, end, _LOOSE)):
            end += 1
        if end - at >= _SPOKEN:
            found.append(_value(text, read, at, end)._replace(digits=end - at, letters=0))
        at = max(end, at + 1)
    return [one for one in found if not _counted(text, read, one, cues)]


def _spoken(word: str, cues: Cues) -> bool:
    return word in cues.digits or word in cues.counts


def _group_end(text: str, read: Sequence[Word], at: int, *, letters: bool) -> int:
    """Where the number that begins at ``at`` ends; ``at`` if none does."""
    begin = at
    if not _numeral(read[at].folded):
        while (
            letters
            and at < len(read)
            and at - begin < 2
            and _letters(read[at].folded)
            and text[read[at].start - 1 : read[at].start] not in _APOSTROPHES
        ):
            at += 1
            if at == len(read) or not _follows(text, read, at, _TIGHT):
                return begin
        if at == begin or not _numeral(read[at].folded):
            return begin
    end = at + 1
    while end < len(read) and _follows(text, read, end, _TIGHT):
        if _numeral(read[end].folded) or (letters and (_letters(read[end].folded) or _amid(text, read, end))):
            end += 1
        else:
            break
    return end


def _numeral(word: str) -> bool:
    return any(map(str.isdigit, word)) and not _ORDINAL.fullmatch(word)


def _letters(word: str) -> bool:
    return (
        word.isascii()
        and word.isalpha()
        and (len(word) == 1 or (len(word) <= _SHORT and word not in _LINKS and word not in _PARTICLES))
    )


def _amid(text: str, read: Sequence[Word], at: int) -> bool:
    """Whether the short word at ``at`` stands between two short numbers."""
    if read[at].folded not in _PARTICLES or at + 1 == len(read) or not _follows(text, read, at + 1, _TIGHT):
        return False
    return all(len(word.folded) <= _FEW and _numeral(word.folded) for word in (read[at - 1], read[at + 1]))


def _follows(text: str, read: Sequence[Word], at: int, between: re.Pattern[str]) -> bool:
    return between.fullmatch(text, read[at - 1].end, read[at].start) is not None


def _value(text: str, read: Sequence[Word], first: int, last: int) -> Value:
    start, end = read[first].start, read[last - 1].end
    if start and text[start - 1] in "+#":
        start -= 1
    body = text[start:end]
    return Value(start, end, sum(map(str.isdigit, body)), sum(map(str.isalpha, body)), first, last)


def _counted(text: str, read: Sequence[Word], one: Value, cues: Cues) -> bool:
    """Whether it counts or costs something: "450 dollars", "$ 20"."""
    before = text[max(0, one.start - 2) : one.start].strip()
    after = text[one.end : one.end + 2].strip()
    if (before and before[-1] in _CURRENCY) or (after and after[0] in _CURRENCY):
        return True
    if one.last < len(read) and not read[one.last - 1].mark and read[one.last].folded in cues.units:
        return True
    if one.digits >= _SUM or not one.first:
        return False
    named = one.first - 1
    if named and read[named].folded in _OF:
        named -= 1
    return read[named].folded in cues.amounts


def dates(text: str, read: Sequence[Word], cues: Cues) -> list[Value]:
    """Dates in ``read``, also without a year, or with nothing but the year."""
    found: list[Value] = []
    at = 0
    while at < len(read):
        end = at
        while (
            end < len(read)
            and _of_date(read[end].folded, cues, begun=end > at)
            and (end == at or _LOOSE_DATE.fullmatch(text, read[end - 1].end, read[end].start))
        ):
            end += 1
        last = end
        while last > at and read[last - 1].folded in cues.joins and not _counts(read[last - 1].folded, cues):
            last -= 1
        if last > at and _is_date([word.folded for word in read[at:last]], cues):
            found.append(_value(text, read, at, last))
        at = max(end, at + 1)
    return found


_LOOSE_DATE = re.compile(r"[ \t,./\-\n'’]{0,3}")
_YEAR = re.compile(r"(?:19|20)\d\d")


def _counts(word: str, cues: Cues) -> bool:
    return _spoken(word, cues) or word in cues.months or word in cues.ordinals


def _of_date(word: str, cues: Cues, *, begun: bool) -> bool:
    if word.isdigit():
        return len(word) <= 8
    return bool(_ORDINAL.fullmatch(word)) or _counts(word, cues) or (begun and word in cues.joins)


def _is_date(found: Sequence[str], cues: Cues) -> bool:
    digits = [word for word in found if word.isdigit()]
    named = any(word in cues.months for word in found)
    others = sum(1 for word in found if _ORDINAL.fullmatch(word) or word in cues.ordinals or _spoken(word, cues))
    if named:
        return len(found) > 1
    if len(digits) == 1 and len(found) == 1:
        return len(digits[0]) in (6, 8) or bool(_YEAR.fullmatch(digits[0]))
    return len(digits) + others >= _DATED and sum(map(len, digits)) + 2 * others >= 4


def day(text: str, value: Value) -> bool:
    """Whether a number is a day of these years without strokes, month or day first: "06182018"."""
    return value.digits == _DAY_DIGITS and _DAY.fullmatch(text, value.start, value.end) is not None


_DAY_DIGITS = 8
_DAY = re.compile(
    r"(?:[^\W\d_]{1,3} ){0,2}"
    r"(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]))(?:199\d|20[0-3]\d)"
)


def fits(value: Value, least: int, most: int, *, letters: bool) -> bool:
    """Whether a number has as many digits (and letters, where it may have them)."""
    if not letters and value.letters:
        # As words: each of them is a digit or two.
        return value.digits >= least and value.letters == 0
    size = value.digits + value.letters
    return least <= size <= most and (value.digits >= 2 or size >= 4) and value.digits >= 1


def apart(values: Sequence[Value]) -> Iterator[Value]:
    """``values`` in order, without those that overlap one before."""
    end = 0
    for one in sorted(values, key=lambda value: (value.start, -value.end)):
        if one.start >= end:
            yield one
            end = one.end


def tied(text: str, value: Value) -> tuple[int, int]:
    """Start and end of a number with the capitals that a hyphen or a stroke ties to it: "ES-20 441", "7710/44-K"."""
    before = _BEFORE.search(text, max(0, value.start - _TIED), value.start)
    behind = _BEHIND.match(text, value.end)
    return (before.start() if before else value.start), (behind.end() if behind else value.end)


_BEFORE, _BEHIND = re.compile(r"(?<!\w)[^\W\d_a-z]{1,4}[\-/]\Z"), re.compile(r"[\-/][^\W\d_a-z]{1,4}(?!\w)")
_TIED = 6
