"""In which other forms may a value stand elsewhere? "nine four three one" as 9431, 8 June 1985 as 1985-06-08.

As bodies: letters and digits without what stands between them, as :mod:`forebay_agents.redaction.detection.propagation`
looks for them.
"""

import re
from collections.abc import Iterable, Iterator

from forebay_agents.redaction.conversation.cues import Cues, shipped
from forebay_agents.redaction.conversation.shapes import DATE, SHAPES
from forebay_agents.redaction.conversation.words import words
from forebay_agents.redaction.public.folding import fold

_LEAST, _MOST = 4, 24
"""Digits of a number that is looked for in other forms."""
_REPEATED = {"double": 2, "triple": 3, "doppel": 2, "dubbel": 2, "doble": 2, "doppio": 2}
_MONTHS = (
    ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
    ("july", "jul"), ("august", "aug"), ("september", "sep", "sept"), ("october", "oct"), ("november", "nov"),
    ("december", "dec"),
)  # fmt: skip
_NUMBER = {fold(name): at for at, names in enumerate(_MONTHS, 1) for name in names}
_GROUP = re.compile(r"\d+|[^\W\d_]+")
_CENTURY, _THIS = 100, 30
"""Two digits of a year up to this are of this century."""


def bodies(values: Iterable[tuple[str, str]], cues: Cues | None = None) -> dict[str, str]:
    """Other forms of ``values``, given as kind and value; to their kinds."""
    found: dict[str, str] = {}
    for kind, value in values:
        if kind not in SHAPES or len(value) > _LONGEST:
            continue
        if kind == DATE:
            found |= dict.fromkeys(_of_date(value), kind)
        elif not SHAPES[kind].words or kind == "PASSWORD":
            body = "".join(filter(str.isalnum, value)).lower()
            digits = _digits(value, cues or shipped()) if not any(map(str.isdigit, value)) else body
            if _LEAST <= len(digits) <= _MOST and any(map(str.isdigit, digits)):
                found[digits] = kind
    return found


_LONGEST = 80


def _digits(value: str, cues: Cues) -> str:
    """The digits that ``value`` says; empty if it says something else too."""
    found: list[str] = []
    times = 1
    for word in words(value, 0, len(value)):
        if word.folded in _REPEATED:
            times = _REPEATED[word.folded]
        elif word.folded in cues.digits:
            found.append(cues.digits[word.folded] * times)
            times = 1
        else:
            return ""
    return "".join(found)


def _of_date(value: str) -> Iterator[str]:
    """The same day in other forms: by numbers in any order, and by the month's name."""
    groups = [fold(group) for group in _GROUP.findall(value)]
    month = next((_NUMBER[group] for group in groups if group in _NUMBER), 0)
    figures = [group for group in groups if group.isdigit()]
    if month and figures:
        day = next((int(one) for one in figures if len(one) <= 2), 0)
        year = next((int(one) for one in figures if len(one) == 4), 0)
        days = [(day, month)] if day else []
    elif len(figures) == 3:
        year = next((int(one) for one in figures if len(one) == 4), 0) or _full(int(figures[2]))
        one, other = [int(group) for group in figures if len(group) <= 2][:2] if len(figures[0]) != 4 else (
            int(figures[2]), int(figures[1]))  # fmt: skip
        days = [(a, b) for a, b in ((one, other), (other, one)) if 1 <= a <= 31 and 1 <= b <= 12]
    else:
        return
    for day, month in days:
        yield from _written(day, month, year)


def _full(year: int) -> int:
    return year + (2000 if year <= _THIS else 1900) if year < _CENTURY else year


def _written(day: int, month: int, year: int) -> Iterator[str]:
    if year:
        for d, m in ((f"{day}", f"{month}"), (f"{day:02}", f"{month:02}")):
            yield from (f"{d}{m}{year}", f"{m}{d}{year}", f"{year}{m}{d}")
    for name in _MONTHS[month - 1]:
        for d in (f"{day}", *(f"{day}{ending}" for ending in ("st", "nd", "rd", "th"))):
            for tail in (f"{year}", "") if year else ("",):
                yield from (f"{d}{name}{tail}", f"{name}{d}{tail}", f"{d}of{name}{tail}")
