"""Who says what? The messages of a request, and the turns of a transcript that is one text.

A line with somebody's name in front begins a turn ("Agent: …", "[10:02] bot: …", "<anna> …"). Where no line has one, a
line may answer the one before.
"""

import re
from collections.abc import Iterator, Sequence

from forebay_agents.redaction.conversation.reading import Turn
from forebay_agents.redaction.detection.normalise import View
from forebay_agents.redaction.request_parts import Part

_STAMP = (
    r"(?:[\[(]?\d{1,4}[:./\-]\d{1,2}(?:[:./\-]\d{1,4})?(?:[ T,]{1,2}\d{1,2}:\d\d(?::\d\d)?)?(?: ?[ap]m)?[\])]?"
    r"[ \-–—,]{0,3})"
)
_SPEAKER = re.compile(
    rf"[ \t]{{0,8}}(?:[>*_#\-•]{{1,3}} ?)?{_STAMP}?[*_]{{0,2}}"
    r"(?:<(?P<nick>[^<>\n:]{1,30})>|(?P<who>[^\W\d_][\w .'’()\-]{0,30}?)[*_]{0,2} ?[:：])[*_]{0,2}[ \t]{0,4}",
    re.IGNORECASE,
)
_RECORD = re.compile(
    r"\"(?:role|speaker|author|from|sender|who)\"[ \t]{0,3}:[ \t]{0,3}\"(?P<who>[^\"\n]{1,40})\"[ \t\n]{0,9},"
    r"[ \t\n]{0,9}"
    r"\"(?:content|text|message|body)\"[ \t]{0,3}:[ \t]{0,3}\"(?P<said>(?:[^\"\\]|\\.){0,2000})\"",
    re.DOTALL,
)
"""A turn in JSON."""
_LEAST = 2


def of_messages(
    parts: Sequence[Part], bounds: Sequence[tuple[int, int]], view: View, *, going_on: bool = False
) -> list[Turn]:
    """The turns of a request, with their places in ``view``; a text with speakers in it is several.

    Args:
        going_on: whether something is open from before.
    """
    found: list[Turn] = []
    several = going_on or sum(1 for part in parts if part.said) > 1
    for part, (start, end) in zip(parts, bounds, strict=True):
        if not part.said:
            if part.speaker == "assistant" and "?" in part.text:  # a tool that asks people
                found.append(Turn(start=view.here(start), end=view.here(end), speaker=part.speaker, answers=False))
            continue
        low, high = view.here(start), view.here(end)
        lines = part.speaker in ("", "user") and (not several or "?\n" in part.text)
        inner = list(of_text(view.text, low, high, lines=lines))
        if len(inner) > 1:
            found += inner
        elif several:
            found.append(
                Turn(
                    start=low,
                    end=high,
                    speaker=part.speaker or "user",
                    asks=part.speaker != "tool",
                    owned=part.speaker in ("user", ""),
                    answers=part.speaker in ("user", "assistant", "") or _is_told(part),
                )
            )
    return found


def _is_told(part: Part) -> bool:
    """Whether what a tool returns may be what somebody said to it."""
    return part.speaker == "tool" and len(part.text) <= _TOLD and not part.text.lstrip().startswith(("{", "["))


_TOLD = 200
"""Characters of what people answer a tool, at most."""


def of_text(text: str, start: int, end: int, *, lines: bool) -> Iterator[Turn]:
    """The turns of a transcript ``text[start:end]``; none if it is one turn.

    Args:
        lines: whether a line without a speaker may answer another.
    """
    if text.find('"content"', start, end) >= 0 or text.find('"text"', start, end) >= 0:
        found = list(_records(text, start, end))
        if len({turn.speaker for turn in found}) >= _LEAST:
            yield from found
            return
    if text.find("\n", start, end) < 0:
        return
    places = list(_lines(text, start, end))
    named = [_SPEAKER.match(text, low, high) for low, high in places]
    if len({_name(match) for match in named if match}) < _LEAST:
        if lines:
            yield from (Turn(start=_said(text, low, high), end=high) for low, high in places)
        return
    speaker, begin, last = "", start, start
    for (_, high), match in zip(places, named, strict=True):
        if match and _name(match):
            if last > begin:
                yield Turn(start=begin, end=last, speaker=speaker or "?")
            speaker, begin = _name(match), match.end()
        last = high
    if last > begin:
        yield Turn(start=begin, end=last, speaker=speaker or "?")


def _records(text: str, start: int, end: int) -> Iterator[Turn]:
    for match in _RECORD.finditer(text, start, end):
        yield Turn(start=match.start("said"), end=match.end("said"), speaker=match["who"].lower())


def _said(text: str, low: int, high: int) -> int:
    match = _SPEAKER.match(text, low, high)
    return match.end() if match else low


def _name(match: re.Match[str] | None) -> str:
    return "" if match is None else (match["nick"] or match["who"]).strip().lower()


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if stop > start and not text[start:stop].isspace():
            yield start, stop
        start = stop + 1
