"""Which findings belong together? The parts of an address become one span, and a name keeps its initials."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from forebay_agents.redaction.detection.spans import Span

_KIND = "LOCATION"
_BETWEEN = re.compile(r"[ \t]{0,2}[,.;/#()|\-]{0,2}[ \t]{0,2}(?:\r?\n[ \t]{0,4})?|, ?(?:in|at) ")
_UNIT = re.compile(
    r"(?:,? ?(?:\d{1,2}\. ?(?:OG|UG|DG|Etage|Stock|tv|th|mf|sal|krs)|[EUD]G|Hinterhaus|Vorderhaus|HH|VH|lgh ?\d{1,5}|"
    r"(?:Whg|App|Wohnung|Apartment|Apt|Unit|Flat|Suite|bus|bte|boîte|lok|appt|apto|kv|кв|эт)\.? ?\d{1,5}[A-Za-z]?|"
    r"\d{1,2}(?:er|e|ème|º|ª|o) (?:étage|ét\.?|piso|andar)|m\. ?\d{1,4})(?!\w)){1,3},? ?"
)
"""What may stand between a street and a town: on which floor, which flat."""
_HOUSE = re.compile(
    r"(?:^|(?<=[\s:,>\"'(]))(?:no\.? ?|nr\.? ?|#)?\d{1,5}[A-Za-z]?(?:[\-/]\d{1,4})?,? {1,2}$", re.IGNORECASE
)
_STREET = re.compile(
    r"(?:street|road|avenue|lane|drive|boulevard|court|place|square|terrace|close|crescent|parkway|highway|straße|strasse|str\.|"
    r"rue|calle|via|avenida|\bst\b|\brd\b|\bave\b|\bln\b|\bdr\b|\bblvd\b|\bct\b|\bway\b|weg|platz|gasse|laan|straat|gatan|vej)",
    re.IGNORECASE,
)
_HOUSE_AFTER = re.compile(
    r"[ ,]{1,2}(?:no\.? ?|nr\.? ?)?\d{1,4}[A-Za-z]?(?:[\-/]\d{1,4})?(?![\w.,]*\d)(?!\s?(?:%|€|\$|am|pm|people|nights))"
)
_CODE_AFTER = re.compile(
    r"[ \t]{0,2}[,\-]?[ \t]{0,2}\n?[ \t>]{0,8}(?:[A-Z]{2}\n[ \t>]{0,8})?(?:(?:[A-Z]{1,3}[ \-])?\d{4,6}(?:-\d{3,4})?|"
    r"\d{3} \d{2}|"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|"
    r"[A-Z]\d[A-Z] ?\d[A-Z]\d)(?![\w])"
)
_CODE_BEFORE = re.compile(r"(?:^|(?<=[\s,]))(?:[A-Z]{1,2}-)?\d{4,6} $")
_INITIAL_AFTER = re.compile(r" [A-Z]\.(?= ?[A-Z]|\s|$|,)| (?:Jr|Sr)\b\.?| I{2,3}\b| IV\b")
_MORE_AFTER = re.compile(
    r"[-‐‑][A-ZÀ-ÖØ-Þ][^\W\d_]+|(?: (?:van|von|de|der|den|del|della|di|da|do|dos|la|le|bin|ibn|al|el|ten|ter)){1,3} "
    r"[A-ZÀ-ÖØ-Þ][^\W\d_]+|(?: (?:O|D)['’]| M[a]?c)[A-Z][^\W\d_]+"
)
_TITLE_BEFORE = re.compile(
    r"(?:^|(?<=[^\w]))(?:mr|mrs|ms|mx|miss|dr|prof|professor|sir|madam|herr|frau|señora?|sra?|mme|monsieur|madame|"
    r"rev|hon)\b\.?[ \t]{1,2}$",
    re.IGNORECASE,
)
_LINE_HOUSE = re.compile(r"(?:^|(?<=\n))[ \t>]{0,8}(?P<number>\d{1,5}[A-Za-z]?)[ \t]{1,2}$")
_INITIAL_BEFORE = re.compile(r"(?:^|(?<=[\s(,:>\"']))(?:[A-Z]\. ?){1,3}$")
_WINDOW = 24
"""Characters before a finding that are looked at."""


def joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans with neighbours that belong to one address or name united.

    Args:
        spans: ordered, not overlapping.
    """
    result: list[Span] = []
    for span, following in zip_longest(spans, spans[1:]):
        grown = _grown(text, span)
        if following is not None and following.kind != span.kind and grown.end > following.start >= span.end:
            # In "Qiu Hua,1991-04-02" the year is no postcode: it is a birthday's, which was found.
            grown = Span(start=grown.start, end=span.end, kind=grown.kind, score=grown.score)
        low = result[-1].end if result else 0
        if grown.start < low:
            grown = Span(
                start=max(low, min(grown.start, span.start)), end=grown.end, kind=grown.kind, score=grown.score
            )
        last = result[-1] if result else None
        if (
            last is not None
            and last.kind == grown.kind == _KIND
            and (_BETWEEN.fullmatch(text, last.end, grown.start) or _UNIT.fullmatch(text, last.end, grown.start))
            and _addressed(text, last, grown)
        ):
            result[-1] = Span(start=last.start, end=grown.end, kind=_KIND, score=max(last.score, grown.score))
        else:
            result.append(grown)
    for index in range(len(result) - 1):
        if result[index].end > result[index + 1].start:
            cut = result[index]
            result[index] = Span(start=cut.start, end=result[index + 1].start, kind=cut.kind, score=cut.score)
    return result


def _addressed(text: str, one: Span, other: Span) -> bool:
    """Whether two places in a row are one: on one line always; over a line break only if a number is in them."""
    if "\n" not in text[one.end : other.start]:
        return True
    return any(map(str.isdigit, text[one.start : one.end] + text[other.start : other.end]))


def _grown(text: str, span: Span) -> Span:
    if span.kind == _KIND:
        start, end = _of_address(text, span.start, span.end)
    elif span.kind == "PERSON":
        start, end = _of_name(text, span.start, span.end)
    else:
        return span
    return Span(start=start, end=end, kind=span.kind, score=span.score)


def _of_address(text: str, start: int, end: int) -> tuple[int, int]:
    """With its house number and its code."""
    value = text[start:end]
    before = text[max(0, start - _WINDOW) : start]
    if _STREET.search(value):
        if house := _HOUSE.search(before):
            start -= len(before) - house.start()
        elif not any(map(str.isdigit, value)) and (house := _HOUSE_AFTER.match(text, end)):
            end = house.end()
    elif (house := _LINE_HOUSE.search(before)) and text[end : end + 1] in ("", ",", "\n", "\r"):
        start -= len(before) - house.start("number")
    if code := _CODE_AFTER.match(text, end):
        end = code.end()
    elif code := _CODE_BEFORE.search(before):
        start -= len(before) - code.start()
    return start, end


def _of_name(text: str, start: int, end: int) -> tuple[int, int]:
    """With its title, its initials and what a hyphen or a particle adds."""
    if more := _MORE_AFTER.match(text, end):
        end = more.end()
    if initial := _INITIAL_AFTER.match(text, end):
        end = initial.end()
    before = text[max(0, start - _WINDOW) : start]
    if initial := _INITIAL_BEFORE.search(before):
        start -= len(before) - initial.start()
        before = before[: initial.start()]
    if title := _TITLE_BEFORE.search(before):
        start -= len(before) - title.start()
    return start, end
